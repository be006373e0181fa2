"""Which episodes teach a policy's learner, how far it has come, and when what it knows is worth publishing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from bandit.current_names import CurrentNames
from core.episodes import Episode
from core.errors import InvalidInput

log = logging.getLogger(__name__)


class Lessons:
    """Counts the taught `episodes`, and in `skipped` those that taught nothing.

    Skipped are: what `teaches` refuses, other context features than the current, unusable numbers. Where the current
    features change, learning starts anew.
    """

    def __init__(self, min_clicked: int) -> None:
        self._min_clicked = min_clicked
        self._current = CurrentNames()
        self._clicked = 0
        self._published = 0
        self.episodes = 0
        self.skipped = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The current context features; empty before the first episode."""
        return self._current.names or ()

    def take(
        self,
        episodes: Sequence[Episode],
        *,
        teaches: Callable[[Episode], bool],
        start: Callable[[int], None],
        teach: Callable[[Episode], None],
    ) -> None:
        """Teach each usable episode; `start` is given the number of context features first, and when they change."""
        for episode in episodes:
            names, before = episode.impression.context.names, self._current.names
            if not teaches(episode) or not self._current.admits(names):
                self.skipped += 1
                continue
            if names != before:
                self._anew(before is not None)
                start(len(names))
            try:
                teach(episode)
            except InvalidInput as error:  # one bad row must not cost the others of its batch
                log.warning("episode %s teaches nothing: %s", episode.impression.query.id, error)
                self.skipped += 1
                continue
            self.episodes += 1
            self._clicked += any(gain > 0 for gain in episode.gains)

    def due(self) -> bool:
        """Whether there are enough clicked episodes, and new ones since the last time that this was so."""
        if self._clicked < self._min_clicked or self.episodes == self._published:
            return False
        self._published = self.episodes
        return True

    def _anew(self, again: bool) -> None:
        """Other context features need other weights; what was learned of the old is dropped."""
        if again:
            log.warning("the context features have changed; the policy starts to learn anew")
        self._clicked = self._published = self.episodes = 0
