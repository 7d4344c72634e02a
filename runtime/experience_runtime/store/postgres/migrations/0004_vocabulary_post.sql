DROP VIEW healths;

UPDATE schedule_runs SET outcome = 'fired'
    WHERE outcome = 'begotten';
