"""The picture of the lifecycle: complete, self-contained, nothing upon anything else."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reverseflow.core import legs
from reverseflow.reports import lifecycle_graph as graph
from reverseflow.reports.lifecycle import draw

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TYPES = tuple(legs.TYPES)
SVG = "{http://www.w3.org/2000/svg}"

every_type = pytest.mark.parametrize("code", TYPES)


def picture(code: str | None) -> ET.Element:
    return ET.fromstring(draw(code, "svg"))  # noqa: S314 - our own drawing


def boxes(root: ET.Element, kind: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the rectangles of a class."""
    found = []
    for rect in root.iter(f"{SVG}rect"):
        if kind in rect.attrib.get("class", "").split():
            x, y, width, height = (float(rect.attrib[n]) for n in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def told(root: ET.Element) -> list[str]:
    return [title.text or "" for title in root.iter(f"{SVG}title")]


@every_type
def test_the_picture_has_a_box_for_every_state_and_a_second_border_for_final_ones(
    code: str,
) -> None:
    root = picture(code)
    states = [(leg, s) for leg in legs.TYPES[code].legs for s in graph.states_of(leg)]
    final = [s for leg in legs.TYPES[code].legs for s in legs.FINAL[leg]]
    assert len(states) == len(boxes(root, "node"))
    assert len(final) == len(boxes(root, "ring")) == len(boxes(root, "final"))


def test_no_boxes_lie_upon_each_other_and_all_lie_in_the_picture(exchange: str) -> None:
    for code in (*TYPES, exchange):
        root = picture(code)
        nodes, panels = boxes(root, "node"), boxes(root, "panel")
        for kind in (nodes, panels):
            for index, (left, top, right, bottom) in enumerate(kind):
                for other in kind[index + 1 :]:
                    apart = right < other[0] or other[2] < left
                    assert apart or bottom < other[1] or other[3] < top
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for left, top, right, bottom in nodes + panels:
            assert left >= 0 and right <= width and top >= 0 and bottom <= height
        for text in root.iter(f"{SVG}text"):
            assert 0 <= float(text.attrib["x"]) <= width
            assert 0 <= float(text.attrib["y"]) <= height


@every_type
def test_the_tooltips_say_where_every_command_leads_and_who_may_give_it(code: str) -> None:
    ways = "\n".join(told(picture(code))).splitlines()
    for row in (r for r in legs.TRANSITIONS if r.leg in legs.TYPES[code].legs):
        if row.state == row.next:
            assert f"{row.command}: stays" in ways
            continue
        way = next(
            w for w in ways
            if w.startswith(f"{row.command}: ") and f"→ {row.next} (" in w
            and row.state in re.split(r"[ ,]+", w.partition(" →")[0])
        )  # fmt: skip
        roles = way.rpartition("(")[2].removesuffix(")").split(", ")
        assert sorted(row.roles) == sorted(roles)


def test_the_tooltips_say_what_is_waited_for_and_whose_turn_it_is() -> None:
    ways = "\n".join(told(picture("return_refund")))
    assert "settlement waits until return is inspected, waived or lost (after_inspection)" in ways
    assert "return and settlement wait until review is approved" in ways
    assert "waits for operations, 48 h, then escalate (default)" in ways


@pytest.mark.parametrize("code", [None, *TYPES])
def test_the_picture_needs_nothing_from_outside_and_follows_light_and_dark(
    code: str | None,
) -> None:
    text = draw(code, "svg")
    assert "prefers-color-scheme:dark" in text
    for foreign in ("<script", "href", "url(", "@import", "<image", "<foreignObject", "onload"):
        assert foreign not in text
    assert text.count("http") == 1  # the name of the SVG format itself


@pytest.mark.parametrize("code", ["refund_only", "return_refund"])
def test_the_pictures_in_the_documentation_are_drawn_from_todays_tables(code: str) -> None:
    path = IMAGES / f"lifecycle-{code}.svg"
    assert path.read_text(encoding="utf-8") == draw(code, "svg") + "\n", (
        f"draw it again: reverseflow lifecycle {code} --format svg > docs/images/{path.name}"
    )
