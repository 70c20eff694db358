//! Tests of the merge: a service that is fresh, one that lags behind, and what should come of them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const STATUSES: [JobStatus; 3] = [JobStatus::InProgress, JobStatus::Completed, JobStatus::Failed];

/// A job as it stands, and as Search has it, if it has.
#[derive(Clone, Debug)]
struct Job {
    number: usize,
    created: i64,
    status: JobStatus,
    known: Option<JobStatus>,
}

impl Job {
    fn name(&self) -> JobName {
        JobName::new(format!("job-{}", self.number)).expect("a name")
    }

    fn created(&self) -> Timestamp {
        Timestamp::from_second(self.created).expect("a time")
    }

    fn listed(&self) -> ListedJob {
        ListedJob {
            name: self.name(),
            status: Ok(self.status.clone()),
            created: self.created(),
            ended: None,
            details: None,
        }
    }

    fn found(&self) -> Option<DescribeTrainingJobResponse> {
        let job = json!({
            "TrainingJobName": self.name(), "TrainingJobArn": "", "ModelArtifacts": { "S3ModelArtifacts": "" },
            "TrainingJobStatus": self.known.as_ref()?, "SecondaryStatus": "", "StoppingCondition": {},
            "CreationTime": self.created().to_string(),
        });
        Some(serde_json::from_value(job).expect("a job"))
    }

    fn has_changed(&self) -> bool {
        self.known.as_ref() != Some(&self.status)
    }
}

fn job(number: usize, created: i64, status: JobStatus, known: Option<JobStatus>) -> Job {
    Job { number, created, status, known }
}

/// What Search finds, in order.
fn found(jobs: &[Job], query: &JobsQuery) -> Vec<DescribeTrainingJobResponse> {
    let mut found: Vec<_> = jobs.iter().filter_map(Job::found).collect();
    found.retain(|job| query.status.as_ref().is_none_or(|status| job.training_job_status == *status));
    found.sort_by(|a, b| Position::of_details(a).cmp(&Position::of_details(b), query));
    found
}

/// All pages, as the listing reads them.
fn pages(jobs: &[Job], query: &JobsQuery, size: usize) -> Vec<ListedJob> {
    let recent: Vec<ListedJob> = jobs.iter().filter(|job| job.has_changed()).map(Job::listed).collect();
    let (found, mut after, mut all) = (found(jobs, query), None, Vec::new());
    let pages = found.chunks(size).count().max(1);
    for page in 0..pages {
        let found: Vec<_> = found.iter().skip(page * size).take(size).cloned().collect();
        let end = found.last().filter(|_| page + 1 < pages).map(Position::of_details);
        all.extend(merge_recent(query, found, recent.clone(), after.as_ref(), end.as_ref()));
        after = end;
    }
    all
}

fn names(jobs: &[ListedJob]) -> Vec<String> {
    jobs.iter().map(|job| job.name.to_string()).collect()
}

proptest! {
    #[test]
    fn pages_are_what_is_so_now(
        jobs in prop::collection::vec((0_i64..20, 0_usize..3, prop::option::weighted(0.8, 0_usize..3)), 0..60),
        size in 1_usize..20,
        ascending: bool,
        by_name: bool,
        status in prop::option::of(0_usize..3),
    ) {
        let jobs: Vec<Job> = jobs
            .into_iter()
            .enumerate()
            .map(|(number, (created, status, known))| {
                job(number, created, STATUSES[status].clone(), known.map(|known| STATUSES[known].clone()))
            })
            .collect();
        let sort_by = if by_name { SortBy::Name } else { SortBy::CreationTime };
        let status = status.map(|status| STATUSES[status].clone());
        let query = JobsQuery { status: status.clone(), sort_by, ascending, ..JobsQuery::default() };
        let mut expected: Vec<ListedJob> = jobs.iter().map(Job::listed).collect();
        expected.retain(|job| status.as_ref().is_none_or(|status| job.status.as_ref() == Ok(status)));
        expected.sort_by(|a, b| Position::of(a).cmp(&Position::of(b), &query));
        let listed = pages(&jobs, &query, size);
        prop_assert_eq!(names(&listed), names(&expected));
        prop_assert!(listed.iter().zip(&expected).all(|(listed, expected)| listed.status == expected.status));
    }
}

#[test]
fn a_list_is_completed_and_stays_as_it_is() {
    let jobs = [
        job(3, 30, JobStatus::InProgress, None),
        job(2, 20, JobStatus::Completed, Some(JobStatus::InProgress)),
        job(1, 10, JobStatus::Failed, Some(JobStatus::Failed)),
    ];
    let mut listed: Vec<ListedJob> = jobs.iter().map(Job::listed).collect();
    add_details(&mut listed, jobs.iter().filter_map(Job::found).collect());
    assert_eq!(names(&listed), ["job-3", "job-2", "job-1"]);
    let statuses: Vec<_> = listed.iter().map(|job| job.status.clone()).collect();
    assert_eq!(statuses, [Ok(JobStatus::InProgress), Ok(JobStatus::Completed), Ok(JobStatus::Failed)]);
    let has_details: Vec<bool> = listed.iter().map(|job| job.details.is_some()).collect();
    assert_eq!(has_details, [false, true, true]);
    add_details(&mut listed, Vec::new());
    assert_eq!(listed.iter().filter(|job| job.details.is_some()).count(), 2);
}

#[test]
fn a_job_that_has_just_ended_is_not_running() {
    let jobs = [
        job(2, 20, JobStatus::InProgress, Some(JobStatus::InProgress)),
        job(1, 10, JobStatus::Completed, Some(JobStatus::InProgress)),
    ];
    let with = |status| JobsQuery { status: Some(status), ..JobsQuery::default() };
    assert_eq!(names(&pages(&jobs, &with(JobStatus::InProgress), 10)), ["job-2"]);
    assert_eq!(names(&pages(&jobs, &with(JobStatus::Completed), 10)), ["job-1"]);
}
