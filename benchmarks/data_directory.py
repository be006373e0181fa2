"""A data directory with a large catalogue whose vectors are made up: encoding 100,000 texts would take half an hour.

The vectors go through StoredEmbeddings, with an encoder that calls itself as the real one does, so that the service
finds them in its cache under the keys it looks for: the SHA-256 of the encoder's version and the item's passage. Texts
that come later, queries among them, are encoded by the real encoder.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.catalogue import SyntheticItems
from benchmarks.given import HashedTexts
from feedback.sqlite_catalogue import SqliteCatalogue
from retrievers.document import passage
from retrievers.vectors.embeddings import StoredEmbeddings
from retrievers.vectors.encoder import BUNDLED, open_encoder

_BATCH = 2_000


def fill(folder: Path, items: SyntheticItems) -> None:
    """Catalogue and vectors into an empty folder; no index."""
    catalogue = SqliteCatalogue(folder / "catalogue.sqlite")
    real = open_encoder(BUNDLED, folder / "cache")
    made_up = HashedTexts(real.version, real.dimension)
    embeddings = StoredEmbeddings(made_up, folder / "cache" / "embeddings.sqlite")
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        catalogue.put(batch)
        embeddings.encode([passage(item) for item in batch])
    embeddings.close()
    catalogue.close()
