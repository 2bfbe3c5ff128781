"""What a prepared data set consists of, and what was left out and why: as numbers and in sentences."""

from collections import Counter
from statistics import median

# COCO's limits between small, medium and large, in pixels of mask area.
SMALL, LARGE = 32**2, 96**2
NAMED = 3  # files that a sentence names


def summarize(content, records):
    """Counts a prepared data set.

    Args:
        content: dict. COCO instance JSON.
        records: list of dict. What `prepare_image` returned for each image.

    Returns:
        Dictionary, ready for JSON.
    """
    names = {row["id"]: row["name"] for row in content["categories"]}
    objects = [row for row in content["annotations"] if not row["iscrowd"]]
    ignored = [row for row in content["annotations"] if row["iscrowd"]]
    per_image = Counter(row["image_id"] for row in objects)
    shares = {row["id"]: row["width"] * row["height"] for row in content["images"]}
    dropped = {record["file_name"]: record["dropped"] for record in records if "dropped" in record}
    problems = {record["file_name"]: record["problems"] for record in records if record.get("problems")}
    return {
        "images": len(content["images"]),
        "images_with_instances": len(per_image),
        "images_without_instances": len(content["images"]) - len(per_image),
        "image_sizes": _spread([max(row["width"], row["height"]) for row in content["images"]]),
        "instances": {name: sum(row["category_id"] == number for row in objects) for number, name in names.items()},
        "ignored": {name: sum(row["category_id"] == number for row in ignored) for number, name in names.items()},
        "filled_boxes": sum(row["source"] == "box" and "segmentation" in row for row in objects),
        "box_only": sum("segmentation" not in row for row in objects),
        "instances_by_size": {
            "small": sum(row["area"] < SMALL for row in objects),
            "medium": sum(SMALL <= row["area"] < LARGE for row in objects),
            "large": sum(row["area"] >= LARGE for row in objects),
        },
        "share_of_image": _spread([round(row["area"] / shares[row["image_id"]], 4) for row in objects]),
        "most_instances_in_a_image": max(per_image.values(), default=0),
        "dropped_images": _count_reasons(dropped.values()),
        "problems": _count_reasons(problem for each in problems.values() for problem in each),
        "dropped_files": dropped,
        "problem_files": problems,
    }


def announce(reader):
    """What a reader found, in sentences: "120 labelme files, classes: dog"."""
    lines = [f"{reader.saw}, classes: {', '.join(reader.class_names) or 'none'}"]
    return "\n".join([*lines, *(f"  NOTE: {note}" for note in reader.notes)]) + "\n"


def describe(report, out):
    """The report in sentences.

    Args:
        report: dict, from `summarize`.
        out: Path of the JSON file.

    Returns:
        str, several lines.
    """
    lines = [
        f"{out}: {report['images']} images, {report['images_with_instances']} with instances and "
        f"{report['images_without_instances']} without",
    ]
    for name, count in report["instances"].items():
        lines.append(f"  {name}: {count} instances and {report['ignored'][name]} ignore regions")
    sizes, shares = report["instances_by_size"], report["share_of_image"]
    lines.append(f"  sizes: {sizes['small']} small, {sizes['medium']} medium, {sizes['large']} large (COCO's limits)")
    if shares:
        lines.append(
            f"  a mask covers {shares['median']:.1%} of its image (median; "
            f"{shares['least']:.1%} to {shares['most']:.1%}), "
            f"at most {report['most_instances_in_a_image']} in one image"
        )
    longest = report["image_sizes"]
    if longest:
        lines.append(f"  long sides: {longest['least']} to {longest['most']} pixels, median {longest['median']:g}")
    if report["box_only"]:
        lines.append(
            f"  NOTE: {report['box_only']} objects have a box and no mask: they train class and box, not masks"
        )
    if report["filled_boxes"]:
        lines.append(
            f"  NOTE: {report['filled_boxes']} objects are filled boxes, since their images have no masks; "
            "they train, but teach box-shaped masks"
        )
    for reason, count in report["dropped_images"].items():
        names = [name for name, why in report["dropped_files"].items() if why.partition(":")[0] == reason]
        lines.append(f"  dropped {count} images: {reason}: {_first_names(names)}")
    for reason, count in report["problems"].items():
        files = report["problem_files"].items()
        names = [name for name, each in files if any(problem.partition(":")[0] == reason for problem in each)]
        lines.append(f"  {count} times: {reason}: {_first_names(names)}")
    if report["problems"]:
        lines.append("  objects that cannot be read are ignored where they lie in the photo")
    if report["dropped_images"] or report["problems"]:
        lines.append(f"  all of them are named in {out.with_suffix('.report.json')}")
    lines.append(f"  look at {out.with_suffix('.contact.png')} before training")
    return "\n".join(lines) + "\n"


def next_command(reports):
    """The command that trains on what was prepared.

    Args:
        reports: dict from the Path of each JSON file to its report.
    """
    folders = {out.with_suffix(""): out.stem.rpartition("-")[2] for out in reports}
    train = [folder for folder, part in folders.items() if part == "train"] or [*folders]
    val = [folder for folder, part in folders.items() if part == "val"]
    options = f"--data {train[0]} " + (f"--val {val[0]}" if val and train != val else "--val 0.2")
    return f"next: python -m pipeline train {options} --out runs/NAME"


def _first_names(names):
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _count_reasons(reasons):
    """Counts reasons without the details after their colon."""
    return dict(Counter(reason.partition(":")[0] for reason in reasons).most_common())


def _spread(values):
    return {"least": min(values), "median": median(values), "most": max(values)} if values else None
