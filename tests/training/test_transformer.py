"""The transformer of scikit-learn: what the library trains, in a pipeline."""

import numpy as np
import pytest
import torch

from seatbelt_vae.data import as_dataset
from seatbelt_vae.models import build
from seatbelt_vae.objectives import ELBO
from seatbelt_vae.training import train

pytest.importorskip("sklearn")
IMAGES = np.random.default_rng(0).random((12, 1, 28, 28), dtype=np.float32)


def transformer(**settings: object) -> object:
    from seatbelt_vae.training.transformer import VAETransformer

    return VAETransformer(latent_sizes=(3,), steps=2, batch_size=4, seed=1, device="cpu", **settings)


def test_it_is_the_model_that_train_gives() -> None:
    codes = transformer().fit_transform(IMAGES)  # type: ignore[attr-defined]
    torch.manual_seed(1)
    model = build("vae", (1, 28, 28), latent_sizes=(3,))
    train(model, as_dataset(IMAGES), ELBO(), steps=2, batch_size=4, seed=1, device="cpu")
    with torch.no_grad():
        (q,) = model.encode(torch.from_numpy(IMAGES))
    np.testing.assert_allclose(codes, q.loc, atol=1e-6)


def test_it_works_in_a_pipeline_and_is_cloned() -> None:
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    labels = np.arange(12) % 2
    pipeline = make_pipeline(clone(transformer()), LogisticRegression())
    assert pipeline.fit(IMAGES, labels).predict(IMAGES).shape == (12,)


def test_it_has_to_be_fitted_first() -> None:
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        transformer().transform(IMAGES)  # type: ignore[attr-defined]
