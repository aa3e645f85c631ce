"""Real registers in many formats and coordinate systems: imported as they come."""

import warnings

import pytest

from cropcredit.errors import MalformedInput
from cropcredit.usecases.import_fields import FieldForm

pytestmark = pytest.mark.real_data
SAMPLES = "fiboa-samples/convert"


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
