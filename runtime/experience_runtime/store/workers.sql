-- The statements of store/workers.py.

-- name: beat
INSERT INTO workers (id, host, pid, version, concurrency, integrations, started_at, beat_at)
VALUES (:id, :host, :pid, :version, :concurrency, :integrations, :started_at, :beat_at)
ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, concurrency = excluded.concurrency;

-- name: leave
DELETE FROM workers WHERE id = :id;

-- name: drop_workers
DELETE FROM workers WHERE beat_at < :before;

-- name: workers
SELECT id, host, pid, version, concurrency, integrations, started_at, beat_at FROM workers
ORDER BY started_at, id;
