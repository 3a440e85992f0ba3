"""The scale of the drawing: tissue is described in micrometres and drawn in pixels."""

MPP_UM = 0.25
"""Distance between pixels, in micrometres: what scanners give under a 40x objective."""
OBJECTIVE_POWER = 40

LATTICE = 16
"""Pixels between the points at which smooth things (shapes, layers, drift) are computed."""


def px(micrometres: float) -> float:
    """A length on the glass in pixels."""
    return micrometres / MPP_UM
