"""S3: objects read whole, in stretches and in parts, with conditions, and with their checksums."""

import base64
import io
import zlib

from boto3.s3.transfer import TransferConfig

from .support import Case, admin

BODY = bytes(range(256)) * 100
MIB = 1 << 20


class Reads(Case):
    def get_body(self, **more):
        return self.s3.get_object(Bucket=self.bucket, Key="body", **more)

    def head(self, key="body", **more):
        return self.s3.head_object(Bucket=self.bucket, Key=key, **more)

    def tell(self, algorithm, **more):
        admin("POST", "checksums", {"bucket": self.bucket, "key": "body", "algorithm": algorithm, **more})

    def test_stretches(self):
        self.put("body", BODY)
        for asked, start, end in [("0-0", 0, 1), ("25590-", 25590, 25600), ("-5", 25595, 25600), ("9-99999", 9, 25600)]:
            part = self.get_body(Range="bytes=" + asked)
            self.assertEqual((part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()), (206, BODY[start:end]))
            self.assertEqual(part["ContentRange"], "bytes %d-%d/25600" % (start, end - 1))
            self.assertEqual(self.head(Range="bytes=" + asked)["ContentLength"], end - start)
        for asked in ("bytes=25600-", "bytes=-0"):
            self.refused("InvalidRange", self.get_body, Range=asked)
            self.refused("416", self.head, Range=asked)
        for asked in ("bytes=5-2", "bytes=x", "lines=1-2"):
            self.assertEqual(self.get_body(Range=asked)["Body"].read(), BODY)

    def test_conditions(self):
        self.put("body", BODY)
        tag = self.head()["ETag"]
        self.assertEqual(self.get_body(IfMatch=tag, Range="bytes=1-2")["Body"].read(), BODY[1:3])
        self.put("body", BODY[1:])
        self.refused("PreconditionFailed", self.get_body, IfMatch=tag, Range="bytes=1-2")
        self.refused("412", self.head, IfMatch=tag)
        self.refused("NoSuchKey", self.s3.get_object, Bucket=self.bucket, Key="nothing", IfMatch=tag)

    def test_an_old_version(self):
        versioned = self.bucket + "-versioned"
        admin("PUT", "s3/%s?versioned" % versioned, {})
        for body in (b"old", b"new!"):
            self.s3.put_object(Bucket=versioned, Key="k", Body=body)
        listed = self.s3.list_object_versions(Bucket=versioned)["Versions"]
        old = next(one["VersionId"] for one in listed if not one["IsLatest"])
        self.assertEqual(self.s3.get_object(Bucket=versioned, Key="k", VersionId=old)["Body"].read(), b"old")
        self.assertNotEqual(self.s3.head_object(Bucket=versioned, Key="k")["VersionId"], old)

    def test_every_object_has_a_checksum(self):
        # The CRC catalogue's check value of CRC-64/NVME.
        admin("PUT", "s3/%s/body" % self.bucket, 123456789)
        told = self.head(ChecksumMode="ENABLED")
        self.assertEqual(base64.b64decode(told["ChecksumCRC64NVME"]).hex(), "ae8b14860a799888")
        self.assertEqual(told["ChecksumType"], "FULL_OBJECT")
        self.assertNotIn("ChecksumCRC64NVME", self.head())
        self.assertNotIn("ChecksumCRC64NVME", self.get_body(Range="bytes=1-", ChecksumMode="ENABLED"))
        self.s3.put_object(Bucket=self.bucket, Key="body", Body=b"123456789", ChecksumAlgorithm="CRC32C")
        told = self.head(ChecksumMode="ENABLED")
        self.assertEqual(base64.b64decode(told["ChecksumCRC32C"]).hex(), "e3069283")

    def test_an_upload_in_parts_is_read_in_parts(self):
        body = BODY * 512
        parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        more = {"ChecksumAlgorithm": "CRC32"}
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "parts", Config=parts, ExtraArgs=more)
        sizes = [5 * MIB, 5 * MIB, len(body) - 10 * MIB]
        for number, size in enumerate(sizes, 1):
            told = self.head("parts", PartNumber=number)
            self.assertEqual((told["ContentLength"], told["PartsCount"]), (size, 3))
        self.refused("416", self.head, "parts", PartNumber=4)
        sums = [zlib.crc32(body[start : start + 5 * MIB]).to_bytes(4, "big") for start in range(0, len(body), 5 * MIB)]
        of_sums = base64.b64encode(zlib.crc32(b"".join(sums)).to_bytes(4, "big")).decode()
        told = self.head("parts", ChecksumMode="ENABLED")
        self.assertEqual((told["ChecksumCRC32"], told["ChecksumType"]), (of_sums + "-3", "COMPOSITE"))

    def test_checksums_can_be_told(self):
        self.put("body", BODY)

        def told():
            return self.head(ChecksumMode="ENABLED")

        self.tell("SHA1")
        right = told()["ChecksumSHA1"]
        self.tell("SHA1", wrong=True)
        self.assertNotEqual(told()["ChecksumSHA1"], right)
        self.tell("SHA256", part_size=10000)
        self.assertTrue(told()["ChecksumSHA256"].endswith("-3"))
        self.assertEqual(self.head(PartNumber=3)["ContentLength"], 5600)
        self.tell(None)
        self.assertNotIn("ChecksumType", told())
