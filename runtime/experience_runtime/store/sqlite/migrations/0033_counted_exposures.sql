-- How those who were shown a variation did, counted as it happens: thousands of visitors are asked about at once.

ALTER TABLE exposures ADD COLUMN executions INTEGER; -- of the experience for this person since; NULL: count it

ALTER TABLE exposures ADD COLUMN converted INTEGER; -- 1: this person has since

CREATE INDEX exposures_counted ON exposures (experience, variation, executions, converted);

CREATE VIEW counted_exposures AS SELECT
    number,
    (
        SELECT count(*) FROM executions
        WHERE executions.visitor IS NOT NULL AND executions.attempt >= 0
            AND executions.experience = exposures.experience AND executions.created_at >= exposures.at
            AND executions.visitor IN (
                SELECT exposures.visitor UNION
                SELECT others.visitor FROM persons JOIN persons AS others ON others.person = persons.person
                WHERE persons.visitor = exposures.visitor
            )
    ) AS executions,
    EXISTS (
        SELECT 1 FROM conversions
        WHERE conversions.at >= exposures.at AND conversions.visitor IN (
            SELECT exposures.visitor UNION
            SELECT others.visitor FROM persons JOIN persons AS others ON others.person = persons.person
            WHERE persons.visitor = exposures.visitor
        )
    ) AS converted
FROM exposures;

UPDATE exposures SET (executions, converted) = (
    SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
);

CREATE TRIGGER exposures_counted AFTER INSERT ON exposures WHEN NEW.executions IS NULL
BEGIN
    UPDATE exposures SET (executions, converted) = (
        SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
    ) WHERE number = NEW.number;
END;

CREATE TRIGGER executions_counted AFTER INSERT ON executions
WHEN NEW.experience IS NOT NULL AND NEW.visitor IS NOT NULL
BEGIN
    UPDATE exposures SET executions = executions + 1
    WHERE experience = NEW.experience AND at <= NEW.created_at AND visitor IN (
        SELECT NEW.visitor UNION
        SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = NEW.visitor)
    );
END;

CREATE TRIGGER executions_gone AFTER DELETE ON executions
WHEN OLD.experience IS NOT NULL AND OLD.visitor IS NOT NULL
BEGIN
    UPDATE exposures SET executions = executions - 1
    WHERE experience = OLD.experience AND at <= OLD.created_at AND visitor IN (
        SELECT OLD.visitor UNION
        SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = OLD.visitor)
    );
END;

CREATE TRIGGER conversions_counted AFTER INSERT ON conversions
BEGIN
    UPDATE exposures SET converted = 1
    WHERE at <= NEW.at AND visitor IN (
        SELECT NEW.visitor UNION
        SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = NEW.visitor)
    );
END;

CREATE TRIGGER conversions_gone AFTER DELETE ON conversions
BEGIN
    UPDATE exposures SET converted = (
        SELECT converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
    )
    WHERE at <= OLD.at AND visitor IN (
        SELECT OLD.visitor UNION
        SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = OLD.visitor)
    );
END;

-- Who is erased is so under every id, with what they were shown: a person that ends needs no count.

CREATE TRIGGER persons_made AFTER INSERT ON persons
BEGIN
    UPDATE exposures SET (executions, converted) = (
        SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
    ) WHERE visitor IN (SELECT visitor FROM persons WHERE person = NEW.person);
END;

CREATE TRIGGER persons_joined AFTER UPDATE ON persons WHEN OLD.person <> NEW.person
BEGIN
    UPDATE exposures SET (executions, converted) = (
        SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
    ) WHERE visitor IN (SELECT visitor FROM persons WHERE person IN (OLD.person, NEW.person));
END;
