-- Which runs a release made: as long as one is kept, so is the release.

CREATE INDEX runs_release ON runs (experience, release)
    WHERE release IS NOT NULL;
