"""Gathers runs/NAME-SEED of this folder's README into results.json, manifest.json and table.md: python3 gather.py RUNS."""

import json
import statistics
import sys
from pathlib import Path

here, runs = Path(__file__).parent, Path(sys.argv[1])
MEASURES = ["w2_squared", "w1", "sliced_w2"]
rows, floors, manifests, lines = [], [], {}, []


def spread(values):
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values):.1g}"


for name in ["s_curve", "digits", "heavy"]:
    found = []
    for folder in sorted(runs.glob(f"{name}-[0-9]")):
        results = json.loads((folder / "results.json").read_text())
        [row], [floor] = results["rows"], results["floors"]
        row.pop("run"), row.pop("samples")
        found.append((row, floor))
        rows.append(row)
        floors.append({"seed": row["seed"], **floor})
        manifests[folder.name] = json.loads((folder / "manifest.json").read_text())
    cells = [name, str(len(found)), f"{statistics.mean(row['seconds'] for row, _ in found):.0f}"]
    for measure in MEASURES:
        ours = [row["metrics"][measure] for row, _ in found]
        least = [floor["metrics"][measure] for _, floor in found]
        cells += [spread(ours), spread(least), spread([a / b for a, b in zip(ours, least)])]
    lines.append("| " + " | ".join(cells) + " |")

head = ["data", "seeds", "seconds"] + [f"{kind}{m}`" for m in MEASURES for kind in ("`", "floor of `", "ratio of `")]
text = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"] + lines
(here / "table.md").write_text("\n".join(text) + "\n")
kept = {"schema_version": results["schema_version"], "experiment": "own-data", "rows": rows, "floors": floors}
kept["definitions"] = results.get("definitions")
(here / "results.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
(here / "manifest.json").write_text(json.dumps(manifests, indent=1, ensure_ascii=False) + "\n")
print("\n".join(text))
