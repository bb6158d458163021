"""The OpenAPI document: JSend around each success, closed bodies, the bearer scheme."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import ListSerializer

from core.api.conventions import add_conventions
from core.api.examples import add_examples
from core.api.links import add_links
from core.api.permissions import get_scope
from core.api.serializers import Body
from core.api.sharing import share_answers


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a caller signs in."""

    target_class = "core.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "The access token of POST /auth/token or, where the bank trusts an OpenID Connect provider, an access"
                " token that the provider issued for the bank's audience."
            ),
        }


class BankSchema(AutoSchema):
    """Describes a call as `operation` declared it."""

    def get_tags(self) -> list[str]:
        """Group calls by what they are about: the first part of the path."""
        part = self.path.removeprefix("/api/v1").split("/")[1]
        return [part if self.path.startswith("/api/v1/") else "health"]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the scheme, with the scope that a token needs."""
        schemes: list[dict[str, list[str]]] = super().get_auth()
        scope = get_scope(getattr(self.view, self.method.lower()))
        return [{name: [scope.value] for name in scheme} for scheme in schemes] if scope else []

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        """Say of each id in the path whose it is."""
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        return [
            parameter | {"description": f"The id of the {parameter['name'].removesuffix('_id').replace('_', ' ')}."}
            for parameter in parameters
        ]

    def _get_response_for_code(self, serializer: Any, status_code: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, *args, **kwargs
        )
        if int(status_code) < 400:
            response.setdefault("content", {"application/json": {}})
            for media_type, content in response["content"].items():
                if media_type == "application/json":
                    content["schema"] = _wrap(content.get("schema", {"type": "object"}))
        return response

    def _map_serializer(self, serializer: Any, direction: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(  # type: ignore[no-untyped-call]
            serializer, direction, *args, **kwargs
        )
        return schema | {"additionalProperties": False} if isinstance(serializer, Body) else schema

    def _map_serializer_field(self, field: Any, direction: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(  # type: ignore[no-untyped-call]
            field, direction, *args, **kwargs
        )
        example = getattr(field, "example", None)
        return schema | _get_lengths(field) | ({"examples": [example]} if example else {})

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Tell that no answer is a bare list: pages are declared as such."""
        return False


def _get_lengths(field: Any) -> dict[str, int]:
    """Return how many elements a list of objects may have, which drf-spectacular leaves out."""
    if not isinstance(field, ListSerializer):
        return {}
    lengths = {"minItems": getattr(field, "min_length", None), "maxItems": getattr(field, "max_length", None)}
    return {name: length for name, length in lengths.items() if length is not None}


def _wrap(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"status": {"type": "string", "const": "success"}, "data": schema},
        "required": ["status", "data"],
    }


_FAIL = {
    "type": "object",
    "description": "A request that was refused.",
    "properties": {
        "status": {"type": "string", "const": "fail"},
        "data": {
            "type": "object",
            "description": "Some refusals add what they are about, for instance the accounts concerned.",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "errors": {
                    "type": "object",
                    "description": "The fields at fault, each with what is wrong with it.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
            "required": ["code", "message"],
        },
    },
    "required": ["status", "data"],
    "examples": [{"status": "fail", "data": {"code": "not_found", "message": "There is nothing at this path."}}],
}
_ERROR = {
    "type": "object",
    "description": "A fault of ours.",
    "properties": {
        "status": {"type": "string", "const": "error"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "data": {"type": "object"},
    },
    "required": ["status", "code", "message"],
}


def complete_document(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add what concerns all calls, or follows from what several of them declare (POSTPROCESSING_HOOKS)."""
    result["components"]["schemas"] |= {"Error": _ERROR, "Fail": _FAIL}
    add_conventions(result)
    add_links(result)
    add_examples(result)
    share_answers(result)
    return result
