//! The account's own bucket.

use super::server::Bucket;
use super::*;

const BUCKET: &str = "sagemaker-eu-west-1-111122223333";

fn bucket(account: &str, region: &str) -> Bucket {
    Bucket { account: account.to_owned(), region: region.to_owned(), is_closed: false }
}

#[tokio::test]
async fn a_missing_bucket_is_made_in_the_region_and_closed() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    objects.ensure_bucket(BUCKET).await?;
    let made = server.state(|state| state.buckets[BUCKET].clone());
    assert_eq!((made.region.as_str(), made.is_closed), (REGION, true));
    objects.ensure_bucket(BUCKET).await?;
    assert_eq!(server.count("HeadBucket"), 1, "what is known is not asked for again");
    Ok(())
}

#[tokio::test]
async fn whoever_makes_it_at_the_same_time_is_no_failure() -> TestResult {
    for (status, code) in [(409, "BucketAlreadyOwnedByYou"), (409, "OperationAborted")] {
        let server = Server::start()?;
        server.state(|state| state.buckets.insert(BUCKET.to_owned(), bucket(ACCOUNT, REGION)));
        server.fail("HeadBucket", Fault::Refused(404, ""));
        server.fail("CreateBucket", Fault::Refused(status, code));
        objects(&server).ensure_bucket(BUCKET).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_elsewhere_or_of_somebody_else_is_refused() -> TestResult {
    let cases = [(bucket(ACCOUNT, "us-east-2"), "us-east-2"), (bucket("999999999999", REGION), "another account")];
    for (found, why) in cases {
        let server = Server::start()?;
        server.state(|state| state.buckets.insert(BUCKET.to_owned(), found));
        let error = objects(&server).ensure_bucket(BUCKET).await.err().ok_or("it was taken")?;
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(server.count("CreateBucket"), 0);
    }
    Ok(())
}

/// Someone may delete the bucket, and someone else take its name, at any time.
#[tokio::test]
async fn nothing_goes_to_a_bucket_that_has_changed_hands() -> TestResult {
    let server = Server::start()?;
    let objects = objects(&server);
    objects.ensure_bucket(BUCKET).await?;
    server.state(|state| state.buckets.insert(BUCKET.to_owned(), bucket("999999999999", REGION)));
    let uri = S3Uri::parse(&format!("s3://{BUCKET}/code"))?;
    assert!(objects.head(&uri).await.is_err_and(|error| error.is_denied()));
    for size in [5, LARGE] {
        assert!(objects.put(&uri, ObjectContent::of(file(size)?.0)).await.is_err_and(|error| error.is_denied()));
    }
    assert!(server.state(|state| state.objects.is_empty()));
    Ok(())
}
