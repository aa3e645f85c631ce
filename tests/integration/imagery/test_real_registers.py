"""Real registers in many formats and coordinate systems: imported as they come."""

import warnings
from collections import defaultdict

import numpy as np
import pytest
import shapely

from cropcredit.errors import MalformedInput
from cropcredit.fields import reproject
from cropcredit.imagery import cover
from cropcredit.imagery.fractions import fractions
from cropcredit.model import Grid
from cropcredit.usecases.import_fields import FieldForm

pytestmark = pytest.mark.real_data
SAMPLES = "fiboa-samples/convert"
KENYA = "kenya-smallholders/ref_african_crops_kenya_01_labels"
PIXEL_M = 10


def utm_of(boundary):
    """Name the UTM zone that a boundary lies in."""
    longitude, latitude = boundary.centroid.coords[0]
    return f"EPSG:{32600 if latitude >= 0 else 32700:d}"[:-2] + f"{int(longitude // 6) + 31:02}"


def utm(fields):
    """Move each boundary into its own UTM zone."""
    zones = defaultdict(list)
    for field in fields:
        zones[utm_of(field.boundary)].append(field.boundary)
    return [flat for zone, found in zones.items() for flat in reproject(np.array(found), "EPSG:4326", zone)]


def pixels_around(boundary, crs="EPSG:32631"):
    """Lay pixels over a boundary in metres."""
    west, south, east, north = boundary.bounds
    left, top = west // PIXEL_M * PIXEL_M, -(-north // PIXEL_M) * PIXEL_M
    shape = (int((top - south) // PIXEL_M) + 1, int((east - left) // PIXEL_M) + 1)
    return Grid(crs, (PIXEL_M, 0, left, 0, -PIXEL_M, top), shape)


def cut_out(boundary, grid, cells):
    """Cut a boundary with each cell; give the shares of their area."""
    rows, columns = np.divmod(cells, grid.shape[1])
    left, top = grid.transform[2] + PIXEL_M * columns, grid.transform[5] - PIXEL_M * rows
    pixels = shapely.box(left, top - PIXEL_M, left + PIXEL_M, top)
    return shapely.area(shapely.intersection(boundary, pixels)) / PIXEL_M**2


@pytest.mark.parametrize(
    ("file", "form", "rows", "mean_ha"),
    [
        pytest.param(f"{SAMPLES}/fi/LandUse.ExistingLandUse.GSAAAgriculturalParcel.gpkg", {}, 100, 2.3, id="Finland"),
        pytest.param(f"{SAMPLES}/ch/lwb_nutzungsflaechen_v2_0_lv95.gpkg", {}, 100, 2.1, id="Switzerland"),
        pytest.param(f"{SAMPLES}/nl/brpgewaspercelen_definitief_2023.gpkg", {}, 100, 0.63, id="Netherlands"),
        pytest.param(f"{SAMPLES}/hr/land_parcels.gpkg", {}, 100, 1.0, id="Croatia"),
        pytest.param(f"{SAMPLES}/de_bb/antrag.zip", {}, 100, 3.9, id="Brandenburg, zipped shapefile"),
        pytest.param(
            f"{SAMPLES}/us_ca_scm/i15_crop_mapping_2023_provisional_20241127.gdb.zip", {}, 100, 3.06, id="California"
        ),
        pytest.param(f"{SAMPLES}/jp/jp_field_polygons_2024.parquet", {}, 100, 1.2, id="Japan, GeoParquet"),
        pytest.param(f"{SAMPLES}/ai4sf/1_vietnam_areas.gpkg", {}, 100, 0.53, id="Vietnam"),
        pytest.param(f"{SAMPLES}/india_10k/india_10k.zip", {}, 100, 0.63, id="India"),
        pytest.param(f"{SAMPLES}/at/inspire_schlaege_2025-1_polygon.gpkg.zip", {}, 100, 0.58, id="Austria, zipped"),
        pytest.param(f"{SAMPLES}/bg/bg_arable_land_2024.zip", {}, 100, 28.6, id="Bulgaria"),
        pytest.param(f"{SAMPLES}/dk/Marker_2026.zip", {}, 100, 2.64, id="Denmark"),
        pytest.param(f"{SAMPLES}/ec_si/SI_2021.zip", {}, 100, 1.23, id="Slovenia"),
        pytest.param(f"{SAMPLES}/es_cat/Cultius_DUN2023_GPKG.zip", {}, 100, 2.37, id="Catalonia"),
        pytest.param(f"{SAMPLES}/ie/GSAA_2024.zip", {}, 100, 3.2, id="Ireland"),
        pytest.param(f"{SAMPLES}/jecam/BD_JECAM_CIRAD_2023_feb.shp", {}, 100, 0.56, id="JECAM, many countries"),
        pytest.param(f"{SAMPLES}/nl_block/referentiepercelen.gpkg", {}, 100, 0.044, id="Netherlands, slivers"),
        pytest.param("fiboa-samples/improve/be_vlg_2024_fiboa_0_2.parquet", {}, 100, 1.27, id="Flanders, GeoParquet"),
        pytest.param("brazil-lem/LEM_dataset.shp", {"id_column": "id"}, 1854, 135.4, id="Brazil"),
        pytest.param(
            "kenya-smallholders/ref_african_crops_kenya_01_labels_00/labels.geojson",
            {"crop_column": "Crop1"}, 159, 0.17, id="Kenya",
        ),
        pytest.param("fiboa-samples/fiboa-example.json", {"id_column": "id"}, 2, 1.8, id="fiboa GeoJSON"),
    ],
)  # fmt: skip
def test_a_register_is_imported_as_it_comes(workspace, real_data, file, form, rows, mean_ha):
    chosen = FieldForm(**({"number_as": "n"} if "id_column" not in form else {}) | form)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = workspace.import_fields(str(real_data / "fields" / file), chosen)
    assert (report.rows, report.stored) == (rows, rows)
    assert report.area_ha / rows == pytest.approx(mean_ha, rel=0.05)
    for boundary in utm(workspace.import_fields.fields.read()):
        pixels = fractions(np.array([boundary]), pixels_around(boundary)).covered.sum()
        assert pixels * PIXEL_M**2 == pytest.approx(boundary.area, rel=1e-8), "the pixels of a field have its area"


@pytest.mark.parametrize(
    ("file", "form", "pixels", "pure"),
    [
        pytest.param(f"{KENYA}_00/labels.geojson", {}, 12.5, 0.14, id="Kenya"),
        pytest.param("mali-segou/field_boundaries_with_crops_cleaned.shp", {}, 53.1, 0.76, id="Mali"),
    ],
)
def test_smallholdings_are_covered_cell_by_cell_and_those_with_a_core_are_counted(
    workspace, real_data, file, form, pixels, pure
):
    workspace.import_fields(str(real_data / "fields" / file), FieldForm(number_as="n", **form))
    fields = workspace.import_fields.fields.read()
    [crs] = {utm_of(field.boundary) for field in fields}
    boundaries = np.array([field.boundary for field in fields])
    flat = reproject(boundaries, "EPSG:4326", crs)
    grid = pixels_around(shapely.union_all(flat), crs)
    found = cover(boundaries, grid)
    assert np.median(np.asarray(found.whole.sum(axis=1))) == pytest.approx(pixels, abs=0.1)
    assert 1 - found.mixed_pixel.mean() == pytest.approx(pure, abs=0.01)
    for row, boundary in enumerate(flat):
        entries = slice(*found.whole.indptr[row : row + 2])
        cells = found.cells[found.whole.indices[entries]]
        np.testing.assert_allclose(found.whole.data[entries], cut_out(boundary, grid, cells), atol=1e-9)


def test_hand_drawn_malian_fields_are_repaired_or_refused_by_name(workspace, real_data):
    path = real_data / "fields" / "mali-segou" / "field_boundaries_with_crops_cleaned.shp"
    report = workspace.import_fields(str(path), FieldForm(number_as="mali-", crop_column="2019_main_"))
    assert (report.stored, len(report.repaired), len(report.refused)) == (70, 10, 4)
    assert {row.reason.split(": ")[-1] for row in report.refused} == {"the boundary encloses no area; draw it again"}
    assert all(field.boundary.is_valid for field in workspace.import_fields.fields.read())


def test_a_file_of_several_layers_names_them(workspace, real_data):
    path = real_data / "fields" / SAMPLES / "pt" / "Continente.gpkg"
    with pytest.raises(MalformedInput, match="has 3 layers; --layer one of Continente, Culturas_Aveiro"):
        workspace.import_fields(str(path), FieldForm(number_as="pt-"))
