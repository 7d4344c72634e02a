-- How much each site's key has left here.

-- name: pending_of_site
SELECT count(*) FROM (
    SELECT 1 FROM executions WHERE site IS NOT NULL AND status = 'pending' AND site = :site LIMIT :limit
) AS counted;

-- name: used
SELECT used FROM site_usage WHERE site = :site AND kind = :kind AND day = :day;

-- name: put_used
INSERT INTO site_usage (site, kind, day, used) VALUES (:site, :kind, :day, :used)
ON CONFLICT (site, kind, day) DO UPDATE SET used = excluded.used;

-- name: drop_used
DELETE FROM site_usage WHERE site = :site AND kind = :kind AND day < :day;
