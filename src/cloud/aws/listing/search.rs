//! Search: full descriptions of jobs, eventually consistent.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::search::builders::SearchFluentBuilder;
use aws_sdk_sagemaker::types::{BooleanOperator, Filter, Operator, ResourceType, SearchExpression, SearchSortOrder};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::query::{MAX_PAGE_SIZE, ceil_second, floor_second, page_size};
use crate::cloud::aws::arn;
use crate::cloud::aws::error::failed;
use crate::cloud::aws::json::ResponseBody;
use crate::cloud::{CloudResult, JobsQuery, SortBy};
use crate::model::JobName;
use crate::model::job_name::MAX_NAME;
use crate::model::request::Tag;
use crate::model::training_job::DescribeTrainingJobResponse;

/// Maximum length of a filter's value, in characters (botocore, shape `FilterValue`).
const MAX_FILTER_CHARS: usize = 1024;
/// Number of jobs of a page of which the newest is wanted.
const TAGGED_PAGE_SIZE: i32 = 10;
const NAME: &str = "TrainingJobName";
const STATUS: &str = "TrainingJobStatus";
const CREATED: &str = "CreationTime";

/// A page of Search.
#[derive(Debug, Default)]
pub(super) struct SearchPage {
    pub(super) jobs: Vec<DescribeTrainingJobResponse>,
    pub(super) next_token: Option<String>,
}

/// Returns a page of jobs that match the query. Times are compared in whole seconds.
pub(super) async fn page(client: &Client, query: &JobsQuery, token: Option<String>) -> CloudResult<SearchPage> {
    let sort_by = match query.sort_by {
        SortBy::CreationTime => CREATED,
        SortBy::Name => NAME,
        SortBy::Status => STATUS,
    };
    let filters = filters(query);
    let expression = SearchExpression::builder().set_filters(Some(filters.clone())).build();
    let call = client
        .search()
        .resource(ResourceType::TrainingJob)
        .sort_by(sort_by)
        .sort_order(if query.ascending { SearchSortOrder::Ascending } else { SearchSortOrder::Descending })
        .max_results(i32::try_from(page_size(query)).unwrap_or(100))
        .set_search_expression((!filters.is_empty()).then_some(expression))
        .set_next_token(token);
    send(call).await
}

/// Returns the jobs with these names: at most one page.
pub(super) async fn named(client: &Client, names: &[&JobName]) -> CloudResult<SearchPage> {
    let in_one = MAX_FILTER_CHARS / (MAX_NAME + 1);
    let filters = names.chunks(in_one).map(|names| {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        filter(NAME, Operator::In, names.join(","))
    });
    let expression =
        SearchExpression::builder().set_filters(Some(filters.collect())).operator(BooleanOperator::Or).build();
    let call = client.search().resource(ResourceType::TrainingJob).search_expression(expression);
    send(call.max_results(i32::try_from(MAX_PAGE_SIZE).unwrap_or(100))).await
}

/// A page of jobs that bear a tag.
#[derive(Debug)]
pub(super) struct TaggedPage {
    /// The newest job of the page.
    pub(super) name: Option<JobName>,
    pub(super) next_token: Option<String>,
}

/// Returns a page of jobs that bear the tag, newest first. It may be empty, and others follow.
pub(super) async fn tagged(client: &Client, tag: &Tag, token: Option<String>) -> CloudResult<TaggedPage> {
    let expression = SearchExpression::builder().filters(tag_filter(tag)).build();
    let call = client
        .search()
        .resource(ResourceType::TrainingJob)
        .search_expression(expression)
        .sort_by(CREATED)
        .sort_order(SearchSortOrder::Descending)
        .max_results(TAGGED_PAGE_SIZE)
        .set_next_token(token);
    let SearchResponse { results, next_token } = answer(call).await?;
    let name = results.iter().find_map(|record| tagged_name(&record.training_job, tag));
    Ok(TaggedPage { name, next_token })
}

/// Returns the filter of a tag: `Tags.KEY` (API reference, Filter).
fn tag_filter(tag: &Tag) -> Filter {
    filter(&format!("Tags.{}", tag.key), Operator::Equals, &tag.value)
}

/// Returns the name of a job that bears the tag, letter for letter: the service does not say how exactly it compares.
fn tagged_name(job: &Value, tag: &Tag) -> Option<JobName> {
    let mut tags = job.get("Tags")?.as_array()?.iter();
    let is_tagged = tags.any(|found| found["Key"] == tag.key && found["Value"] == tag.value);
    JobName::new(job.get(NAME)?.as_str().filter(|_| is_tagged)?).ok()
}

fn filters(query: &JobsQuery) -> Vec<Filter> {
    let name = query.name_contains.as_ref().filter(|part| !part.is_empty());
    let after = query.created_after.map(floor_second).map(time);
    let before = query.created_before.map(ceil_second).map(time);
    let filters = [
        name.map(|part| filter(NAME, Operator::Contains, part)),
        query.status.as_ref().map(|status| filter(STATUS, Operator::Equals, status.as_str())),
        after.map(|time| filter(CREATED, Operator::GreaterThanOrEqualTo, time)),
        before.map(|time| filter(CREATED, Operator::LessThan, time)),
    ];
    filters.into_iter().flatten().collect()
}

fn filter(name: &str, operator: Operator, value: impl Into<String>) -> Filter {
    Filter::builder().name(name).operator(operator).value(value).build()
}

/// Formats a time as `YYYY-mm-dd'T'HH:MM:SS`, the only format that Search accepts.
fn time(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SearchResponse {
    #[serde(default)]
    results: Vec<SearchRecord>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SearchRecord {
    #[serde(default)]
    training_job: Value,
}

async fn answer(call: SearchFluentBuilder) -> CloudResult<SearchResponse> {
    let received = ResponseBody::default();
    call.customize().interceptor(received.clone()).send().await.map_err(failed("search the jobs", arn::ANY))?;
    received.read("SageMaker's search result")
}

async fn send(call: SearchFluentBuilder) -> CloudResult<SearchPage> {
    let answer = answer(call).await?;
    let jobs = answer.results.into_iter().filter_map(|record| details(record.training_job)).collect();
    Ok(SearchPage { jobs, next_token: answer.next_token })
}

/// Converts a search record to a description. Fields that DescribeTrainingJob always has and Search may lack get
/// neutral values.
fn details(mut job: Value) -> Option<DescribeTrainingJobResponse> {
    let fields = job.as_object_mut()?;
    let status = fields.get(STATUS)?.clone();
    for (name, value) in [
        ("TrainingJobArn", json!("")),
        ("ModelArtifacts", json!({ "S3ModelArtifacts": "" })),
        ("SecondaryStatus", status),
        ("StoppingCondition", json!({})),
    ] {
        fields.entry(name).or_insert(value);
    }
    serde_json::from_value(job).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_another_caller_is_not_taken() {
        let tag = |value: &str| Tag { key: "k".to_owned(), value: value.to_owned() };
        let job = json!({ "TrainingJobName": "j", "Tags": [{ "Key": "k", "Value": "v" }] });
        assert_eq!(tagged_name(&job, &tag("v")), JobName::new("j").ok());
        assert_eq!(tagged_name(&job, &tag("V")), None);
        assert_eq!(tagged_name(&json!({ "TrainingJobName": "j" }), &tag("v")), None);
    }
}
