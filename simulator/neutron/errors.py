"""The errors of Quantum's API, by its own names and statuses."""

from __future__ import annotations


class ApiError(Exception):
    """An API request refused. *status* is the HTTP status."""

    status = 500

    @property
    def name(self) -> str:
        return type(self).__name__


class AgentNotFound(ApiError):
    status = 404


class NetworkNotFound(ApiError):
    status = 404


class RouterNotFound(ApiError):
    status = 404


class SubnetNotFound(ApiError):
    status = 404


class AvailabilityZoneNotFound(ApiError):
    status = 404


class InvalidDHCPAgent(ApiError):
    status = 404


class InvalidL3Agent(ApiError):
    status = 404


class NetworkHostedByDHCPAgent(ApiError):
    status = 409


class NetworkNotHostedByDhcpAgent(ApiError):
    status = 409


class RouterHostedByL3Agent(ApiError):
    status = 409


class RouterNotHostedByL3Agent(ApiError):
    status = 409


class RouterSchedulingFailed(ApiError):
    status = 409


class RouterReschedulingFailed(ApiError):
    status = 409


class RouterL3AgentMismatch(ApiError):
    status = 409


class DVRL3CannotAssignToDvrAgent(ApiError):
    status = 409


class DVRL3CannotRemoveFromDvrAgent(ApiError):
    status = 409


class BadRequest(ApiError):
    status = 400


class RouterInUse(ApiError):
    status = 409


class HTTPInternalServerError(ApiError):
    """Whatever an API request met that FAULT_MAP has no status for; here, a call not answered."""

    status = 500


class DistributedHARouterNotSupported(ApiError):
    """A NotImplementedError upstream, which neutron/api/v2/resource.py answers with 501."""

    status = 501


class NoVRIDAvailable(ApiError):
    status = 409


class HANotEnoughAvailableAgents(ApiError):
    """A bare NeutronException upstream: none of FAULT_MAP's, so 500."""

    status = 500


class ServiceUnavailable(ApiError):
    """No server or no database answers; not an error of Quantum's but of the way to it."""

    status = 503
