"""Three tables as users have them, each in its own unit: python3 data.py FOLDER (numpy 2, scikit-learn 1).

s_curve.csv  3 columns: the S-curve of scikit-learn (make_s_curve, without noise), 2000 points.
digits.npy   64 columns: the 8×8 digits of scikit-learn (load_digits), 1797 images with grey levels from 0 to 16.
heavy.csv    20 columns: Student's t with 3 degrees of freedom, mixed by a random matrix, around 500 with a scale of 40;
             2000 points.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, make_s_curve

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

points, _ = make_s_curve(2000, noise=0.0, random_state=0)
np.savetxt(folder / "s_curve.csv", points, delimiter=",", header="x,y,z", comments="")

np.save(folder / "digits.npy", load_digits().data)

rng = np.random.default_rng(20)
tails = rng.standard_t(3, size=(2000, 20))
mixing = rng.normal(size=(20, 20)) / np.sqrt(20)
names = ",".join(f"column{i}" for i in range(20))
np.savetxt(folder / "heavy.csv", 500 + 40 * tails @ mixing.T, delimiter=",", header=names, comments="")
