"""S3: buckets with their owner and region, uploads in parts, checksums."""

import io

import boto3
from boto3.s3.transfer import TransferConfig

from .support import Case, admin, calls


class Storage(Case):
    def test_a_bucket_has_a_region_and_an_owner(self):
        self.assertEqual(self.s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"], "eu-west-1")
        head = self.s3.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=self.account)
        self.assertEqual(head["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"], "eu-west-1")
        self.refused("403", self.s3.head_bucket, Bucket=self.bucket, ExpectedBucketOwner="111122223333")
        put = {"Bucket": self.bucket, "Key": "k", "Body": b"", "ExpectedBucketOwner": "111122223333"}
        self.refused("AccessDenied", self.s3.put_object, **put)
        self.refused("404", self.s3.head_bucket, Bucket=self.bucket + "-not")

    def test_a_bucket_of_another_account(self):
        other = boto3.client("s3", aws_access_key_id="AKIATSTotheraccount1", aws_secret_access_key="x")
        self.refused("403", other.head_bucket, Bucket=self.bucket)
        location = {"LocationConstraint": "eu-west-1"}
        self.refused("BucketAlreadyExists", other.create_bucket, Bucket=self.bucket, CreateBucketConfiguration=location)
        self.refused(
            "BucketAlreadyOwnedByYou", self.s3.create_bucket, Bucket=self.bucket, CreateBucketConfiguration=location
        )

    def test_a_bucket_of_another_region(self):
        admin("DELETE", "calls")
        # boto3 follows to the right region by itself.
        boto3.client("s3", region_name="us-west-2").head_bucket(Bucket=self.bucket)
        self.assertEqual([call["status"] for call in calls("HeadBucket")], [301, 200])

    def test_a_new_bucket_is_encrypted(self):
        found = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(found[0]["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})

    def test_a_key_is_told_by_its_arn(self):
        key = "1234abcd-12ab-34cd-56ef-1234567890ab"
        arn = "arn:aws:kms:eu-west-1:%s:key/" % self.account
        admin("POST", "kms-aliases", {"alias/mine": key})
        for name in (key, arn + key, "alias/mine", "arn:aws:kms:eu-west-1:%s:alias/mine" % self.account):
            kms = {"Bucket": self.bucket, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": name}
            self.assertEqual(self.s3.put_object(**kms, Key="whole", Body=b"x")["SSEKMSKeyId"], arn + key)
            begun = self.s3.create_multipart_upload(**kms, Key="parts")
            self.assertEqual(begun["SSEKMSKeyId"], arn + key)
            part = {"Bucket": self.bucket, "Key": "parts", "UploadId": begun["UploadId"]}
            etag = self.s3.upload_part(**part, PartNumber=1, Body=b"x")["ETag"]
            self.s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
            for stored in ("whole", "parts"):
                head = self.s3.head_object(Bucket=self.bucket, Key=stored)
                self.assertEqual((head["ServerSideEncryption"], head["SSEKMSKeyId"]), ("aws:kms", arn + key))
        self.refused("KMS.NotFoundException", self.s3.put_object, **dict(kms, SSEKMSKeyId="mine"), Key="k", Body=b"")

    def test_the_encryption_of_a_bucket_is_that_of_its_objects(self):
        put = {"Bucket": self.bucket, "Key": "k", "Body": b"x"}
        self.assertEqual(self.s3.put_object(**put)["ServerSideEncryption"], "AES256")
        self.assertNotIn("SSEKMSKeyId", self.s3.head_object(Bucket=self.bucket, Key="k"))
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/default"}}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="k")["ServerSideEncryption"], "AES256")
        self.s3.put_object(**put)
        head = self.s3.head_object(Bucket=self.bucket, Key="k")
        self.assertEqual(head["ServerSideEncryption"], "aws:kms")
        self.assertIn(":key/", head["SSEKMSKeyId"])
        self.assertEqual(
            self.s3.create_multipart_upload(Bucket=self.bucket, Key="u")["SSEKMSKeyId"], head["SSEKMSKeyId"]
        )
        self.s3.put_object(**put, ServerSideEncryption="AES256")
        self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="k")["ServerSideEncryption"], "AES256")

    def test_public_access_is_blocked(self):
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=block)
        found = self.s3.get_public_access_block(Bucket=self.bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual(found, block)

    def test_uploads_in_parts(self):
        body = bytes(range(256)) * 4096 * 12
        parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "big", Config=parts)
        self.assertEqual(self.get("s3://%s/big" % self.bucket), body)
        self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="big")["ContentLength"], len(body))

    def test_an_upload_can_be_given_up(self):
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="up")["UploadId"]
        part = {"Bucket": self.bucket, "Key": "up", "UploadId": upload}
        self.s3.upload_part(**part, PartNumber=1, Body=b"x" * 100)
        listed = self.s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
        self.assertEqual([(one["Key"], one["UploadId"]) for one in listed], [("up", upload)])
        self.s3.abort_multipart_upload(**part)
        self.assertNotIn("Uploads", self.s3.list_multipart_uploads(Bucket=self.bucket))

    def test_checksums(self):
        for algorithm in ("CRC32", "SHA256", "SHA1"):
            put = {"Bucket": self.bucket, "Key": "sum", "ChecksumAlgorithm": algorithm}
            self.s3.put_object(**put, Body=b"hello")
            head = self.s3.head_object(Bucket=self.bucket, Key="sum", ChecksumMode="ENABLED")
            self.assertTrue(head["Checksum" + algorithm])
        wrong = {"Bucket": self.bucket, "Key": "bad", "Body": b"hello", "ChecksumSHA256": "A" * 43 + "="}
        self.refused("BadDigest", self.s3.put_object, **wrong)
        self.refused("404", self.s3.head_object, Bucket=self.bucket, Key="bad")

    def test_an_object_is_put_once(self):
        put = {"Bucket": self.bucket, "Key": "once", "IfNoneMatch": "*"}
        self.s3.put_object(**put, Body=b"first")
        self.refused("PreconditionFailed", self.s3.put_object, **put, Body=b"second")

    def test_odd_keys(self):
        for key in ("a b+c/é%41&=?#'\"", "a//b", "x/../y", "~"):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=key.encode())
            self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read(), key.encode())
            self.assertIn(key, admin("GET", "s3/%s?prefix=" % self.bucket))

    def test_ranges_and_lists(self):
        for number in range(5):
            self.put("many/%d" % number, b"0123456789")
        ranged = self.s3.get_object(Bucket=self.bucket, Key="many/0", Range="bytes=2-4")
        self.assertEqual((ranged["Body"].read(), ranged["ContentRange"]), (b"234", "bytes 2-4/10"))
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="many/", MaxKeys=2)
        self.assertEqual([len(page["Contents"]) for page in pages], [2, 2, 1])
