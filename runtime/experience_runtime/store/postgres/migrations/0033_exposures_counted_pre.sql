-- What there is, now that what comes is counted: only whom it is about waits meanwhile.

SELECT count_exposures(ARRAY(SELECT number FROM exposures WHERE executions IS NULL));
