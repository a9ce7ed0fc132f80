from zoo.testing import check_plugin


def test_package() -> None:
    check_plugin("zoo-view")
