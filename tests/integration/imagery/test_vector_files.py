"""Vector files of many formats become one table; what cannot be used is refused by name."""

import geopandas as gpd
import pytest
from shapely import box

from cropcredit.adapters.vectors import VectorReader
from cropcredit.errors import EmptyInput, MalformedInput, MissingCRS, UnknownName

read = VectorReader().read


def frame(crs="EPSG:32650", **columns):
    return gpd.GeoDataFrame(
        {"id": ["a", "b"], **columns}, geometry=[box(5e5, 4e6, 5e5 + 100, 4e6 + 100), None], crs=crs
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [("f.gpkg", {}), ("f.geojson", {}), ("f.fgb", {"SPATIAL_INDEX": "NO"}), ("f.shp", {}), ("f.parquet", {})],
)
def test_any_format_gives_geometries_columns_and_coordinate_system(tmp_path, name, options):
    path = tmp_path / name
    fields = frame(crop=["wheat", None])
    fields.to_parquet(path) if name.endswith("parquet") else fields.to_file(path, **options)
    table = read(str(path))
    assert table.columns["id"] == ["a", "b"]
    assert table.columns["crop"] == ["wheat", None]
    assert table.crs == "EPSG:32650"
    assert table.geometries[0].area == pytest.approx(10_000)
    assert table.geometries[1] is None


def test_a_file_without_coordinate_system_is_refused_until_somebody_says_it(tmp_path):
    frame().to_file(tmp_path / "f.shp")
    (tmp_path / "f.prj").unlink()
    with pytest.raises(MissingCRS, match=r"f.shp: does not say in which coordinate system it is; say it: --crs EPSG:"):
        read(str(tmp_path / "f.shp"))
    assert read(str(tmp_path / "f.shp"), crs="EPSG:32650").crs == "EPSG:32650"


def test_a_shapefile_in_a_chinese_encoding_is_read_when_it_is_named(tmp_path):
    path = tmp_path / "f.shp"
    frame(crop=["冬小麦", "玉米"]).to_file(path, encoding="GB18030")
    (tmp_path / "f.cpg").unlink()
    assert read(str(path), encoding="GB18030").columns["crop"] == ["冬小麦", "玉米"]
    with pytest.raises(MalformedInput, match=r"cannot be read.*try --encoding"):
        read(str(path), encoding="nonsense")


def test_of_several_layers_one_must_be_named(tmp_path):
    path = tmp_path / "f.gpkg"
    for layer in ("north", "south"):
        frame().to_file(path, layer=layer)
    with pytest.raises(MalformedInput, match="has 2 layers; --layer one of north, south"):
        read(str(path))
    with pytest.raises(UnknownName, match="unknown layer 'east'; known: north, south"):
        read(str(path), layer="east")
    assert len(read(str(path), layer="south").geometries) == 2


def test_what_holds_no_features_is_refused(tmp_path):
    frame().iloc[:0].to_file(tmp_path / "none.gpkg")
    (tmp_path / "empty.geojson").write_bytes(b"")
    with pytest.raises(EmptyInput, match=r"none.gpkg: holds no features"):
        read(str(tmp_path / "none.gpkg"))
    with pytest.raises(EmptyInput, match=r"empty.geojson: the file is empty"):
        read(str(tmp_path / "empty.geojson"))
    with pytest.raises(MalformedInput, match="there is no such file"):
        read(str(tmp_path / "absent.gpkg"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("f.geojson", b"{not json", "cannot be read", id="broken GeoJSON"),
        pytest.param("f.csv", b"id,area\na,1\n", "no layer with geometry", id="a table"),
        pytest.param("f.parquet", b"PAR1 no", "is no GeoParquet", id="broken parquet"),
    ],
)
def test_what_is_no_vector_file_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MalformedInput, match=message):
        read(str(tmp_path / name))
