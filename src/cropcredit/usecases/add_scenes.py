"""Put scenes into the scene table: what was acquired, when it became available, on which grid, in which files.

Forms that ``scenes add PATH… --product P`` accepts. A folder that is not itself a scene is searched one level down.

=========  ==============================================================================================================
product    form
=========  ==============================================================================================================
s2-l2a     *Ready-made folder*, one per scene, named ``S2_<tile>_<YYYYMMDD>``, holding single-band GeoTIFFs on one UTM grid

           * ``B04.tif`` (red) and ``B08.tif`` (near infrared), 10 m, required; ``B02.tif`` (blue), 10 m, optional;
             ``B05.tif`` (red edge), 10 or 20 m, optional: digital numbers, uint16, reflectance = 1e-4 x (DN + offset),
             DN 0 = nodata;
           * ``SCL.tif``: Sen2Cor scene classes 0-11, uint8, 20 m (or 10 m), sharing the upper left corner; optional;
           * ``scene.json``: ``{"id", "tile", "acquired_at", "available_at", "processing_baseline", "offset",
             "synthetic"}``; times are RFC 3339 with a zone, ``processing_baseline`` is text such as ``"05.10"``,
             ``offset`` is ``"applied"``, ``"not_applied"`` or ``"auto"``, ``synthetic`` is true or false (default false).
           *SAFE folder* as the Copernicus archive ships it: recognised by ``MTD_MSIL2A.xml``, which tells the rest.
           *One multi-band GeoTIFF* whose bands are described ``B04``, ``B08`` … : the date stands in the file name.
mod13q1    One raster (GeoTIFF, JPEG 2000) of MOD13Q1 NDVI: int16 x 1e-4, valid -2000..10000; the first day of the
           16-day period stands in the file name (``…_2014-02-18.jp2`` or ``.A2014049.``). A file beside it with
           ``reliability`` instead of ``NDVI`` in its name is its pixel reliability layer.
ndvi       One ready-made raster of NDVI: floating point in [-1, 1] (NaN or the nodata tag = missing), or int16 x 1e-4;
           the date stands in the file name.
=========  ==============================================================================================================

``offset`` says what the *source declares* about the additive radiometric offset (-1000 since processing baseline 04.00):
``applied`` means the archive already added it, ``not_applied`` that we must, ``auto`` that the processing baseline in
the metadata decides. Without a baseline neither ``auto`` nor ``not_applied`` can be honoured, and the scene is refused.
"""
