//! Search: everything about jobs, as they were a while ago.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::search::builders::SearchFluentBuilder;
use aws_sdk_sagemaker::types::{BooleanOperator, Filter, Operator, ResourceType, SearchExpression, SearchSortOrder};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::query::{PAGE, next_second, page_size, second};
use crate::cloud::aws::arn;
use crate::cloud::aws::error::failed;
use crate::cloud::aws::json::Received;
use crate::cloud::{CloudResult, JobsQuery, SortBy};
use crate::model::JobName;
use crate::model::job_name::MAX_NAME;
use crate::model::training_job::DescribeTrainingJobResponse;

/// The longest value of a filter, in characters (botocore, shape `FilterValue`).
const MAX_VALUE: usize = 1024;
const NAME: &str = "TrainingJobName";
const STATUS: &str = "TrainingJobStatus";
const CREATED: &str = "CreationTime";

/// A page of Search.
#[derive(Debug, Default)]
pub(super) struct SearchPage {
    pub(super) jobs: Vec<DescribeTrainingJobResponse>,
    pub(super) next_token: Option<String>,
}

/// What matches the query, to the second.
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

/// The jobs of these names, as many as are on a page of a list.
pub(super) async fn named(client: &Client, names: &[&JobName]) -> CloudResult<SearchPage> {
    let in_one = MAX_VALUE / (MAX_NAME + 1);
    let filters = names.chunks(in_one).map(|names| {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        filter(NAME, Operator::In, names.join(","))
    });
    let expression =
        SearchExpression::builder().set_filters(Some(filters.collect())).operator(BooleanOperator::Or).build();
    let call = client.search().resource(ResourceType::TrainingJob).search_expression(expression);
    send(call.max_results(i32::try_from(PAGE).unwrap_or(100))).await
}

fn filters(query: &JobsQuery) -> Vec<Filter> {
    let name = query.name_contains.as_ref().filter(|part| !part.is_empty());
    let after = query.created_after.map(second).map(time);
    let before = query.created_before.map(next_second).map(time);
    let filters = [
        name.map(|part| filter(NAME, Operator::Contains, part)),
        query.status.map(|status| filter(STATUS, Operator::Equals, status.as_str())),
        after.map(|time| filter(CREATED, Operator::GreaterThanOrEqualTo, time)),
        before.map(|time| filter(CREATED, Operator::LessThan, time)),
    ];
    filters.into_iter().flatten().collect()
}

fn filter(name: &str, operator: Operator, value: impl Into<String>) -> Filter {
    Filter::builder().name(name).operator(operator).value(value).build()
}

/// `YYYY-mm-dd'T'HH:MM:SS`, the only form that Search takes.
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

async fn send(call: SearchFluentBuilder) -> CloudResult<SearchPage> {
    let received = Received::default();
    call.customize().interceptor(received.clone()).send().await.map_err(failed("search the jobs", arn::ANY))?;
    let answer: SearchResponse = received.read("what SageMaker found")?;
    let jobs = answer.results.into_iter().filter_map(|record| details(record.training_job)).collect();
    Ok(SearchPage { jobs, next_token: answer.next_token })
}

/// The job that was found. DescribeTrainingJob always tells these fields; Search need not.
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
