"""One request to its service: the tenant found, the rules looked at, the call recorded."""

import re
import traceback

from . import admin, calls, cloudwatch, faults, logs, moto_backend, tenants
from .errors import error, json_error
from .s3 import service as s3
from .sagemaker import api as sagemaker

ISSUED = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
NEEDS_CODE = re.compile(rb"RoleArn=[^&]*NeedsCode(&|$)")
CODE = b"TokenCode=123456"
ROLE_ACCOUNT = re.compile(rb"RoleArn=arn(?:%3A|:)[a-z-]+(?:%3A|:)iam(?:%3A|:){2}(\d{12})")


class Dispatcher:
    """What all requests share."""

    def __init__(self, server):
        self.server = server
        self.tenants = tenants.Tenants()

    def answer(self, request):
        try:
            if request.path.startswith(admin.ROOT):
                return admin.answer(self.tenants, request)
            return self.serve(request)
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001 - told to the client, since whoever reads the test's output sees it
            service = calls.credential(request)[2]
            return error(service, request, 501, "EmulatorFailure", traceback.format_exc())

    def serve(self, request):
        call = calls.read(request)
        if call is None:
            return self.unsigned(request)
        tenant = self.tenants.of_key(call.access_key)

        def carry_out():
            return self.carry_out(tenant, call, request)

        if tenants.is_job_key(call.access_key):
            return carry_out()
        rule = tenant.rules.take(call)
        response = faults.apply(rule, tenant, call, request, carry_out) if rule else carry_out()
        tenant.calls.record(call, response, rule and rule.fault)
        return response

    def carry_out(self, tenant, call, request):
        if call.service == "sagemaker":
            return sagemaker.answer(self.server, tenant, call, request)
        if call.service == "sts":
            return self.sts(tenant, call.region, request)
        if call.service == "iam":
            return moto_backend.call("iam", tenant.account, call.region, request)
        service = {"s3": s3, "logs": logs, "monitoring": cloudwatch}.get(call.service)
        if service is None:
            return error(call.service, request, 501, "NotImplemented", "The emulator has no " + call.service)
        return service.answer(tenant, call, request)

    def sts(self, tenant, region, request):
        """Keys that are given out for a role are of the role's account. The role `NeedsCode` takes the code of a device."""
        if NEEDS_CODE.search(request.body) and not (CODE in request.body and b"SerialNumber=" in request.body):
            message = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
            return error("sts", request, 403, "AccessDenied", message)
        response = moto_backend.call("sts", tenant.account, region, request)
        role = ROLE_ACCOUNT.search(request.body)
        for key in ISSUED.findall(response.body):
            self.tenants.issue(key.decode(), role.group(1).decode() if role else tenant.account)
        return response

    def unsigned(self, request):
        """A web identity is exchanged for keys without a signature."""
        role = ROLE_ACCOUNT.search(request.body)
        if b"Action=AssumeRoleWithWebIdentity" in request.body and role:
            return self.sts(self.tenants.of_account(role.group(1).decode()), "us-east-1", request)
        return json_error(403, "MissingAuthenticationToken", "Missing Authentication Token")
