//! Training jobs on SageMaker.
//!
//! CreateTrainingJob is not idempotent: if a response is lost and the SDK retries, the second attempt fails because the
//! name is taken. After such a failure the job is described, and if it is what the request asks for, it counts as
//! created.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_sagemaker::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sagemaker::error::BoxError;
use jiff::SignedDuration;

use super::arn;
use super::config::{AwsConfig, client};
use super::error::{Answer, answer, failed, service_error};
use super::json::{self, ResponseBody};
use super::listing::JobLister;
use crate::cloud::{CloudError, CloudResult, Cost, Fallbacks, Jobs, JobsQuery, ListedJob, Page, PageTokens};
use crate::model::request::{CreateTrainingJobRequest, Tag};
use crate::model::training_job::DescribeTrainingJobResponse;
use crate::model::{JobName, JobStatus, LocalOptions, RequestDocument};

const DESCRIBED_ONE_BY_ONE: &str = "each job is described by itself";
/// Maximum number of jobs whose statuses are read by describing each. More jobs are looked up in lists.
const MAX_DESCRIBED_JOBS: usize = 3;
/// Minimum number of wanted jobs per call of a list. With fewer, describing each is as cheap.
const MIN_JOBS_PER_LIST_CALL: usize = 3;
/// Maximum difference between the local clock, which makes the time in a job's name, and the service's, which makes
/// CreationTime.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Implements [`Jobs`] with SageMaker.
#[derive(Debug)]
pub(super) struct AwsJobs {
    client: Client,
    listing: JobLister,
    region: String,
    fallbacks: Fallbacks,
}

impl AwsJobs {
    pub(super) fn new(config: &AwsConfig, fallbacks: Fallbacks) -> Self {
        let client = client!(aws_sdk_sagemaker, config);
        let listing = JobLister::new(client.clone(), fallbacks.clone());
        Self { listing, client, region: config.region().to_string(), fallbacks }
    }

    /// Returns statuses from lists of jobs created since the time in the oldest name. Jobs may be missing.
    async fn statuses_from_lists(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>> {
        let Some(first) = jobs.iter().filter_map(JobName::stamp).min() else { return Ok(HashMap::new()) };
        let created_after = first.checked_sub(MAX_CLOCK_SKEW).ok();
        let query = JobsQuery { created_after, ascending: true, ..JobsQuery::default() };
        let mut known = HashMap::new();
        let mut token = None;
        for _ in 0..jobs.len().div_ceil(MIN_JOBS_PER_LIST_CALL) {
            let page = self.listing.page(&query, token).await?;
            known.extend(
                page.items
                    .into_iter()
                    .filter(|job| jobs.contains(&job.name))
                    .filter_map(|job| Some((job.name, job.status.ok()?))),
            );
            token = page.next_token;
            if token.is_none() || known.len() == jobs.len() {
                break;
            }
        }
        Ok(known)
    }

    fn arn(&self, job: &JobName) -> String {
        arn::regional("sagemaker", &self.region, &format!("training-job/{job}"))
    }

    fn no_job(&self, job: &JobName) -> CloudError {
        CloudError::NotFound(format!("job {job} in {}", self.region))
    }

    /// Returns the job with the request's name if one of our attempts, whose response was lost, may have created it.
    async fn find_created(
        &self,
        request: &CreateTrainingJobRequest,
        lost: &LostReplies,
    ) -> CloudResult<Option<DescribeTrainingJobResponse>> {
        if !lost.may_have_occurred() {
            return Ok(None);
        }
        let existing = self.describe(&request.training_job_name).await?;
        Ok(matches_request(&existing, request).then_some(existing))
    }
}

/// Returns whether a job was created by the request. Names contain a time in milliseconds, so that a job with the same
/// name, role, image, hyperparameters and output is taken as the request's.
fn matches_request(job: &DescribeTrainingJobResponse, request: &CreateTrainingJobRequest) -> bool {
    let image = |algorithm: &Option<crate::model::request::AlgorithmSpecification>| {
        algorithm.as_ref().and_then(|algorithm| algorithm.training_image.clone())
    };
    let output =
        |job: &DescribeTrainingJobResponse| job.output_data_config.as_ref().map(|to| to.s3_output_path.clone());
    job.hyper_parameters.clone().unwrap_or_default() == request.hyper_parameters.clone().unwrap_or_default()
        && image(&job.algorithm_specification) == image(&request.algorithm_specification)
        && job.role_arn.as_ref() == Some(&request.role_arn)
        && output(job).as_ref() == Some(&request.output_data_config.s3_output_path)
}

/// Interceptor that notes whether an attempt may have succeeded although no response arrived.
#[derive(Clone, Debug, Default)]
struct LostReplies(Arc<AtomicBool>);

impl LostReplies {
    fn may_have_occurred(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for LostReplies {
    fn name(&self) -> &'static str {
        "note lost replies"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // A server error may be sent after the operation was carried out.
        let may_be_lost = context.response().is_none_or(|response| response.status().as_u16() >= 500)
            || context
                .output_or_error()
                .is_none_or(|outcome| outcome.is_err_and(|error| error.as_operation_error().is_none()));
        self.0.fetch_or(may_be_lost, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Jobs for AwsJobs {
    async fn create(&self, request: &RequestDocument, _options: &LocalOptions) -> CloudResult<String> {
        let typed = request.typed().map_err(|error| CloudError::Other(format!("the request is not valid: {error}")))?;
        let lost = LostReplies::default();
        let call = self.client.create_training_job().customize();
        let sent = call.mutate_request(json::send(request.document())).interceptor(lost.clone()).send().await;
        let error = match sent {
            Ok(created) => return Ok(created.training_job_arn.unwrap_or_default()),
            Err(error) => error,
        };
        let refused = || service_error("create the job", &self.arn(&typed.training_job_name), &error);
        let is_taken = answer(&error).is_some_and(|answer| answer.is_one_of(&["ResourceInUse"]));
        match self.find_created(&typed, &lost).await {
            Ok(Some(job)) => Ok(job.training_job_arn),
            Ok(None) if is_taken => Err(CloudError::AlreadyExists(format!("job {}", typed.training_job_name))),
            Ok(None) | Err(CloudError::NotFound(_)) => Err(refused()),
            Err(_) => Err(with_describe_hint(refused(), &typed.training_job_name)),
        }
    }

    async fn differences(
        &self,
        _request: &CreateTrainingJobRequest,
        _options: &LocalOptions,
    ) -> CloudResult<Vec<String>> {
        Ok(Vec::new())
    }

    async fn describe(&self, job: &JobName) -> CloudResult<DescribeTrainingJobResponse> {
        let received = ResponseBody::default();
        let call = self.client.describe_training_job().training_job_name(job.as_str()).customize();
        match call.interceptor(received.clone()).send().await {
            Ok(_) => received.read_job("SageMaker's description of the job"),
            Err(error) if answer(&error).is_some_and(|answer| is_missing(&answer)) => Err(self.no_job(job)),
            Err(error) => Err(service_error(&format!("describe job {job}"), &self.arn(job), &error)),
        }
    }

    async fn tags(&self, job: &DescribeTrainingJobResponse) -> CloudResult<Vec<Tag>> {
        let name = &job.training_job_name;
        let mut tags = Vec::new();
        let mut token = None;
        let mut tokens = PageTokens::default();
        loop {
            let call = self.client.list_tags().resource_arn(&job.training_job_arn).set_next_token(token);
            let page = call.send().await.map_err(failed(format!("list the tags of {name}"), self.arn(name)))?;
            let page_tags = page.tags.into_iter().flatten();
            tags.extend(page_tags.filter_map(|tag| Some(Tag { key: tag.key?, value: tag.value.unwrap_or_default() })));
            token = tokens.next(page.next_token, &format!("the tags of {name}"))?;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    async fn list(&self, query: &JobsQuery, token: Option<String>) -> CloudResult<Page<ListedJob>> {
        self.listing.page(query, token).await
    }

    async fn statuses(&self, jobs: &[JobName]) -> CloudResult<HashMap<JobName, JobStatus>> {
        let statuses_from_lists =
            if jobs.len() > MAX_DESCRIBED_JOBS { self.statuses_from_lists(jobs).await } else { Ok(HashMap::new()) };
        let mut known = match statuses_from_lists {
            // The caller may lack the permission to list jobs, but have that to describe them.
            Err(error) if error.is_denied() => {
                self.fallbacks.report(Cost::Calls, &error, DESCRIBED_ONE_BY_ONE);
                HashMap::new()
            }
            statuses_from_lists => statuses_from_lists?,
        };
        for job in jobs {
            if known.contains_key(job) {
                continue;
            }
            match self.describe(job).await {
                Ok(state) => _ = known.insert(job.clone(), state.training_job_status),
                Err(CloudError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(known)
    }

    async fn names(&self, part: &str) -> CloudResult<Vec<JobName>> {
        self.listing.names(part).await
    }

    async fn newest_tagged(&self, tag: &Tag) -> CloudResult<Option<JobName>> {
        self.listing.newest_tagged(tag).await
    }

    async fn stop(&self, job: &JobName) -> CloudResult<()> {
        match self.client.stop_training_job().training_job_name(job.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if answer(&error).is_some_and(|answer| is_missing(&answer)) => Err(self.no_job(job)),
            Err(error) => {
                // A job that has ended in the meantime needs no stop.
                let has_ended = self.describe(job).await.is_ok_and(|job| job.has_ended());
                if has_ended { Ok(()) } else { Err(failed(format!("stop job {job}"), self.arn(job))(error)) }
            }
        }
    }
}

/// Adds a hint: neither the creation nor the description of the job was answered.
fn with_describe_hint(error: CloudError, job: &JobName) -> CloudError {
    match error {
        CloudError::Service(mut error) => {
            error.hints.insert(0, format!("it may have been created all the same: look with smtrain describe {job}"));
            CloudError::Service(error)
        }
        other => other,
    }
}

/// Returns whether the job doesn't exist. DescribeTrainingJob answers a ValidationException:
/// `Requested resource not found.`
fn is_missing(answer: &Answer) -> bool {
    let is_validation =
        answer.is_one_of(&["ValidationException"]) && answer.message.to_lowercase().contains("not found");
    is_validation || answer.is_one_of(&["ResourceNotFound"])
}
