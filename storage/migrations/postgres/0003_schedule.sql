-- On the way to one row a job: what only its row in `job` knew, `live` knows too.
ALTER TABLE live ADD COLUMN schedule text COLLATE "C";
UPDATE live SET schedule = job.schedule FROM job WHERE job.id = live.job AND job.schedule IS NOT NULL;
CREATE INDEX live_schedule ON live (schedule, job) WHERE schedule IS NOT NULL;
