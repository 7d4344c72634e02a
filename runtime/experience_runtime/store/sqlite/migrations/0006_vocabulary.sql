-- The words of the glossary.

ALTER TABLE healths RENAME TO integration_states;

UPDATE schedule_runs SET outcome = 'fired'
    WHERE outcome = 'begotten';
