-- The words of the glossary. Programs of the version before go on over the view.

ALTER TABLE healths RENAME TO integration_states;

CREATE VIEW healths AS SELECT * FROM integration_states;

UPDATE schedule_runs SET outcome = 'fired'
    WHERE outcome = 'begotten';
