"""The name of the S3 operation that a request's method, path and query ask for."""

# The queries that make another operation of a request on a bucket.
BUCKET_QUERIES = {
    "location": "BucketLocation",
    "publicAccessBlock": "PublicAccessBlock",
    "encryption": "BucketEncryption",
    "versioning": "BucketVersioning",
    "policy": "BucketPolicy",
    "lifecycle": "BucketLifecycleConfiguration",
    "tagging": "BucketTagging",
    "ownershipControls": "BucketOwnershipControls",
    "acl": "BucketAcl",
}
OBJECT_QUERIES = {"tagging": "ObjectTagging", "acl": "ObjectAcl", "attributes": "ObjectAttributes"}
VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
BUCKET = {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}
OBJECT = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
UPLOAD = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload", "GET": "ListParts"}


def operation(request):
    bucket, key = split(request.path)
    if not bucket:
        return "ListBuckets"
    return on_object(request, request.query) if key else on_bucket(request.method, request.query)


def on_bucket(method, query):
    for name, subject in BUCKET_QUERIES.items():
        if name in query:
            return VERBS.get(method, method) + subject
    if method == "POST" and "delete" in query:
        return "DeleteObjects"
    if method == "GET":
        if "uploads" in query:
            return "ListMultipartUploads"
        return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
    return BUCKET.get(method, method)


def on_object(request, query):
    if "uploads" in query:
        return "CreateMultipartUpload"
    if "uploadId" in query:
        return UPLOAD.get(request.method, request.method)
    for name, subject in OBJECT_QUERIES.items():
        if name in query:
            return VERBS.get(request.method, request.method) + subject
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        return "CopyObject"
    return OBJECT.get(request.method, request.method)


def split(path):
    """The bucket and the key, as they were sent."""
    bucket, _, key = path.lstrip("/").partition("/")
    return bucket, key
