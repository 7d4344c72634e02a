-- How those who were shown a variation did, counted as it happens: thousands of visitors are asked about at once.
-- Triggers count, so that programs of the version before count as well.

ALTER TABLE exposures ADD COLUMN executions bigint; -- of the experience for this person since; NULL: count it

ALTER TABLE exposures ADD COLUMN converted bigint; -- 1: this person has since

CREATE FUNCTION ids_of_person(id text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT id UNION
        SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = id)
    )
$$;

CREATE VIEW counted_exposures AS SELECT
    number,
    (
        SELECT count(*) FROM executions
        WHERE executions.visitor IS NOT NULL AND executions.attempt >= 0
            AND executions.experience = exposures.experience AND executions.created_at >= exposures.at
            AND executions.visitor = ANY (ARRAY(
                SELECT exposures.visitor UNION
                SELECT others.visitor FROM persons JOIN persons AS others ON others.person = persons.person
                WHERE persons.visitor = exposures.visitor
            ))
    ) AS executions,
    CAST(CAST(EXISTS (
        SELECT 1 FROM conversions
        WHERE conversions.at >= exposures.at AND conversions.visitor = ANY (ARRAY(
            SELECT exposures.visitor UNION
            SELECT others.visitor FROM persons JOIN persons AS others ON others.person = persons.person
            WHERE persons.visitor = exposures.visitor
        ))
    ) AS integer) AS bigint) AS converted
FROM exposures;

CREATE FUNCTION count_exposures(numbers bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(numbers) = 0 THEN
        RETURN;
    END IF;
    PERFORM number FROM exposures WHERE number = ANY (numbers) ORDER BY number FOR UPDATE;
    -- a statement of its own: it sees what those have done who held the rows
    UPDATE exposures SET (executions, converted) = (
        SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
    ) WHERE number = ANY (numbers);
END $$;

CREATE FUNCTION count_new_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_exposures(ARRAY[NEW.number]);
    RETURN NULL;
END $$;

CREATE TRIGGER exposures_counted AFTER INSERT ON exposures FOR EACH ROW
WHEN (NEW.executions IS NULL) EXECUTE FUNCTION count_new_exposure();

CREATE FUNCTION count_executions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change CONSTANT integer := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
    found record;
    each text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM exposures) THEN
        RETURN NULL;
    END IF;
    FOR found IN
        SELECT experience, visitor, created_at FROM counted
        WHERE experience IS NOT NULL AND visitor IS NOT NULL ORDER BY experience, visitor
    LOOP
        FOREACH each IN ARRAY ids_of_person(found.visitor) LOOP
            UPDATE exposures SET executions = executions + change
            WHERE experience = found.experience AND visitor = each AND at <= found.created_at;
        END LOOP;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER executions_counted AFTER INSERT ON executions
REFERENCING NEW TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_executions();

CREATE TRIGGER executions_gone AFTER DELETE ON executions
REFERENCING OLD TABLE AS counted FOR EACH STATEMENT EXECUTE FUNCTION count_executions();

CREATE FUNCTION count_conversion() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM exposures) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        ids := ids_of_person(NEW.visitor);
        UPDATE exposures SET converted = 1 WHERE at <= NEW.at AND visitor = ANY (ids);
    ELSE
        ids := ids_of_person(OLD.visitor);
        PERFORM count_exposures(ARRAY(SELECT number FROM exposures WHERE at <= OLD.at AND visitor = ANY (ids)));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER conversions_counted AFTER INSERT OR DELETE ON conversions
FOR EACH ROW EXECUTE FUNCTION count_conversion();

CREATE FUNCTION count_person() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM exposures) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        ids := ids_of_person(NEW.visitor);
    ELSE
        ids := ARRAY(SELECT visitor FROM persons WHERE person IN (OLD.person, NEW.person));
    END IF;
    PERFORM count_exposures(ARRAY(SELECT number FROM exposures WHERE visitor = ANY (ids)));
    RETURN NULL;
END $$;

-- Who is erased is so under every id, with what they were shown: a person that ends needs no count.

CREATE TRIGGER persons_counted AFTER INSERT ON persons
FOR EACH ROW EXECUTE FUNCTION count_person();

CREATE TRIGGER persons_joined AFTER UPDATE ON persons FOR EACH ROW
WHEN (OLD.person <> NEW.person) EXECUTE FUNCTION count_person();
