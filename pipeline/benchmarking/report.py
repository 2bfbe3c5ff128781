"""The figures of a benchmark as text and as bar charts."""

import numpy as np

from pipeline.benchmarking.stages import STAGES
from pipeline.benchmarking.targets import targets


def describe(report):
    """A report of `benchmark` as text."""
    times = report["milliseconds"]
    segment = times["segment"]["median"]
    lines = [f"{'milliseconds':<34}{'median':>10}{'p10':>10}{'p90':>10}{'to segment':>12}"]
    for name, of in times.items():
        if name == STAGES[0]:
            lines.append("  stages of a photo, file to page")
        lines.append(f"{name:<34}{of['median']:10.1f}{of['p10']:10.1f}{of['p90']:10.1f}{of['median'] / segment:12.2f}")
    size, rate = report["network_multiply_adds"] / 1e9, report["multiply_adds_per_second"] / 1e9
    lines.append(
        f"network: {size:.2f} G multiply-adds at {report['network_input']}; a large 3x3 convolution does {rate:.0f} "
        f"G/s: floor {report['network_floor_ms']:.1f} ms"
    )
    lines += [f"{name}: not installed ({reason})" for name, reason in report["missing_peers"].items()]
    lines.append(f"\n{'target':<44}{'measured':>12}{'limit':>12}")
    for row in targets(report):
        measured = "not measured" if row["measured"] is None else f"{row['measured']:12.3f}"
        sign, limit = ("<=", row["at_most"]) if "at_most" in row else (">=", row["at_least"])
        lines.append(f"{row['name']:<44}{measured}{sign:>5}{limit:7.3f}  {'met' if row['met'] else 'NOT MET'}")
    return "\n".join(lines)


def draw(report):
    """Bar charts of a report: whole calls on a logarithmic scale, and the stages, as a matplotlib `Figure`."""
    from matplotlib.figure import Figure

    times = report["milliseconds"]
    calls = {name: times[name] for name in times if name not in (*STAGES, "3x3 convolution")}
    stages = {name: times[name] for name in STAGES}
    figure = Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
    for axes, bars, title in zip(
        figure.subplots(1, 2), (calls, stages), ("one call", "one photo, file to page"), strict=True
    ):
        medians = np.array([of["median"] for of in bars.values()])
        errors = np.abs([[of["median"] - of["p10"], of["p90"] - of["median"]] for of in bars.values()]).T
        axes.barh(list(bars), medians, xerr=errors, color="#56b4e9", ecolor="#444444")
        axes.bar_label(axes.containers[-1], [f"{median:.1f}" for median in medians], padding=3)
        axes.invert_yaxis()
        axes.set(title=title, xlabel="milliseconds")
        axes.margins(x=0.18)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set(xscale="log", xlim=(1, None))
    return figure
