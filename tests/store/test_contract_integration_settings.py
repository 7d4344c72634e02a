"""What every store does for settings that are typed: sealed, one version after another, told in the audit."""

from dataclasses import replace

import pytest
from experience_runtime.domain.audit import AuditFilter
from experience_runtime.domain.errors import Conflict
from experience_runtime.engine.kept_settings import Sealed
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW

FIRST = Sealed(integration="slack-update", version=0, changed_at=NOW, text="sealed – 1")


def test_settings_are_kept_in_versions_and_what_was_made_from_an_older_one_is_refused(store: Store) -> None:
    kept = store.integration_settings
    told = {"action": "settings", "before": {"set": []}, "after": {"set": ["url"]}}
    before = kept.version()

    assert kept.put(FIRST, **told) == 1  # type: ignore[arg-type]
    assert kept.put(replace(FIRST, version=1, text="sealed 2"), **told) == 2  # type: ignore[arg-type]
    assert kept.put(replace(FIRST, integration="webhook"), **told) == 1  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="version 2, not 1"):
        kept.put(replace(FIRST, version=1), **told)  # type: ignore[arg-type]

    assert [(each.integration, each.version, each.text) for each in kept.all()] == [
        ("slack-update", 2, "sealed 2"),
        ("webhook", 1, "sealed – 1"),
    ]
    assert (before, kept.version()) == (0, 3)
    audited = store.audit.find(AuditFilter(kind="integration", action="settings"))
    assert [(each.object, each.after) for each in audited] == [
        ("webhook", {"set": ["url"]}),
        ("slack-update", {"set": ["url"]}),
        ("slack-update", {"set": ["url"]}),
    ]
