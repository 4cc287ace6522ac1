"""Medians, ratios and the table of the bench."""

import math
import statistics


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance of the quartiles over the median, in percent; of few values, of the
    extremes."""
    if len(values) < 4:
        low, high = min(values), max(values)
    else:
        low, _, high = statistics.quantiles(values, n=4)
    return 100 * (high - low) / 2 / median(values)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def paired_ratio(ours, theirs):
    """The median of the ratios of runs that followed each other: what slows the host slows both."""
    return median([a / b for a, b in zip(ours, theirs)])


class Report:
    """Figures by item and emulator; smaller is better in all of them."""

    def __init__(self, emulators):
        self.emulators = emulators  # names, ours first
        self.items = {}             # (group, name) -> {"unit", "figures": {emulator: [...]}, ...}

    def add(self, group, name, unit, emulator, value):
        item = self.items.setdefault((group, name), {
            "group": group, "name": name, "unit": unit, "instructions": None,
            "figures": {emulator: [] for emulator in self.emulators}})
        item["figures"][emulator].append(value)

    def set_instructions(self, group, name, count):
        self.items[group, name]["instructions"] = count

    def groups(self):
        return list(dict.fromkeys(group for group, _ in self.items))

    def ratios(self, item):
        ours = item["figures"][self.emulators[0]]
        return {other: paired_ratio(ours, item["figures"][other]) for other in self.emulators[1:]}

    def lines(self):
        others = self.emulators[1:]
        yield (f"{'':22}{'unit':>5}" + "".join(f"{name:>11}{'+-%':>5}" for name in self.emulators) +
               "".join(f"{'/ ' + name:>11}" for name in others) + f"{'MIPS':>8}")
        for group in self.groups():
            yield group
            ratios = {name: [] for name in others}
            for item in self.items.values():
                if item["group"] == group:
                    yield self.line(item)
                    for name, ratio in self.ratios(item).items():
                        ratios[name].append(ratio)
            means = "".join(f"{geometric_mean(ratios[name]):11.2f}" for name in others)
            yield f"{'  geometric mean':{27 + 16 * len(self.emulators)}}{means}"

    def line(self, item):
        text = f"  {item['name']:20}{item['unit']:>5}"
        for name in self.emulators:
            values = item["figures"][name]
            text += f"{median(values):11.3f}{spread(values):5.0f}"
        text += "".join(f"{ratio:11.2f}" for ratio in self.ratios(item).values())
        if item["instructions"]:
            ours = median(item["figures"][self.emulators[0]])
            text += f"{item['instructions'] / ours / 1e6:8.0f}"
        return text

    def as_json(self):
        out = []
        for item in self.items.values():
            medians = {name: median(values) for name, values in item["figures"].items()}
            out.append({**item, "medians": medians, "ratios": self.ratios(item)})
        return out
