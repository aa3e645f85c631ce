"""Pictures for an agronomist's eyes: scenes and contact sheets as PNG, through Pillow."""

from cropcredit.adapters.pictures.scene import draw_scene
from cropcredit.adapters.pictures.sheet import draw_sheet

__all__ = ["draw_scene", "draw_sheet"]
