"""IAM's service-specific credentials, that Amazon Keyspaces takes instead of a signature."""
import base64
import secrets
from datetime import datetime, timezone

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.responses import IamResponse

PER_USER_MAX = 2


class LimitExceeded(ServiceException):
    code = "LimitExceededException"


class NoSuchEntity(ServiceException):
    code = "NoSuchEntityException"


class Credentials:
    def __init__(self):
        self.reset()

    def reset(self):
        self.known = {}

    def of(self, user, service):
        return [each for each in self.known.values()
                if each["UserName"] == user and service in (None, each["ServiceName"])]

    def create(self, user, service, account):
        if len(self.of(user, service)) >= PER_USER_MAX:
            raise LimitExceeded("Cannot exceed quota for ServiceSpecificCredentialsPerUser: "
                                f"{PER_USER_MAX}")
        name = "ACCA" + secrets.token_hex(8).upper()
        self.known[name] = {
            "CreateDate": datetime.now(timezone.utc), "ServiceName": service,
            "ServiceUserName": f"{user}-at-{account}", "UserName": user,
            "ServiceSpecificCredentialId": name, "Status": "Active"}
        password = base64.b64encode(secrets.token_bytes(32)).decode()
        return {**self.known[name], "ServicePassword": password}

    def find(self, name):
        if name not in self.known:
            raise NoSuchEntity(f"No such credential {name} exists")
        return self.known[name]


def install(credentials):
    def create(response):
        user = response._get_param("UserName")
        response.backend.get_user(user)
        return ActionResult({"ServiceSpecificCredential": credentials.create(
            user, response._get_param("ServiceName"), response.current_account)})

    def list_all(response):
        return ActionResult({"ServiceSpecificCredentials": credentials.of(
            response._get_param("UserName"), response._get_param("ServiceName"))})

    def update(response):
        found = credentials.find(response._get_param("ServiceSpecificCredentialId"))
        found["Status"] = response._get_param("Status")
        return EmptyResult()

    def delete(response):
        found = credentials.find(response._get_param("ServiceSpecificCredentialId"))
        del credentials.known[found["ServiceSpecificCredentialId"]]
        return EmptyResult()

    IamResponse.create_service_specific_credential = create
    IamResponse.list_service_specific_credentials = list_all
    IamResponse.update_service_specific_credential = update
    IamResponse.delete_service_specific_credential = delete
