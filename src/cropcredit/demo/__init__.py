"""The synthetic demo region and its story.

* ``parameters``  what ``data/demo/region.toml`` says, typed
* ``weather``     daily weather of years past and present, a Richardson-type generator
* ``growth``      leaf area, water stress, biomass and yield of every planting: the known truth
* ``land``        townships, villages, parcels, soils; the register's three doubtful fields
* ``season``      which crop stands where when; ``ground`` is what a pixel sees of it
* ``sky``         the season's satellite scenes with clouds, shadows, classification and noise
* ``history``     past yields and past index per township, from the same growth under past weather
* ``people``, ``market``   parties, tenures, plantings, consents, applications; prices and costs
* ``sensors``     devices, where they stand, what they read; ``stocks`` is the wheat in the households' stores
* ``generate``    writes all of it into one folder: same seed, same bytes
* ``story``       the whole line on that region, chapter by chapter, through the doors everybody uses
* ``chapters``, ``telemetry_chapter``, ``loans_chapter``   what the chapters do; ``stage`` is what they stand on
* ``processes``   the broker, ingest and the devices as processes of their own
* ``check``       estimates against the truth; ``summary`` tells what was found

Everything made here is labelled synthetic. The folder ``truth`` is written for the reader and the final check alone; no
part of the line opens it.
"""
