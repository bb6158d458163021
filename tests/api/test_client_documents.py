"""Documents through the API: sent as a form, seen by their content, shown to their client only."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as HttpClient
from pytest_django import Settings

from core.scopes import Scope
from kyc.models import Client, ClientDocument
from tests.api.caller import Answer, Caller, call_as, make_token
from tests.factories import make_bob, make_client, make_staff
from tests.files import make_form, make_image, make_jpeg, make_pdf

pytestmark = pytest.mark.django_db

PATH = "clients/me/documents"
FORM = "multipart/form-data; boundary=frontier"
KIND = ('Content-Disposition: form-data; name="kind"', b"identity")


def file_part(content: bytes, *, name: str = "file", filename: str = "a.pdf", said: str = "") -> tuple[str, bytes]:
    """Return a part with a file."""
    said_to_be = f"\r\nContent-Type: {said}" if said else ""
    return f'Content-Disposition: form-data; name="{name}"; filename="{filename}"{said_to_be}', content


def send(caller: Caller, *parts: tuple[str, bytes], content_type: str = FORM) -> Answer:
    """Send a form."""
    return caller.call("POST", PATH, content=make_form(*parts), content_type=content_type)


@pytest.fixture
def bob() -> Client:
    """A client in review."""
    return make_bob()


@pytest.fixture
def caller(bob: Client) -> Caller:
    """Bob, signed in."""
    return call_as(bob)


class TestSending:
    """POST /clients/me/documents."""

    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (make_pdf(), "application/pdf"),
            (make_jpeg(), "image/jpeg"),
            (make_image(image_format="PNG"), "image/png"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    @pytest.mark.parametrize("filename", ["a.pdf", "a.jpg", "a.exe", "../../../etc/passwd", ""])
    @pytest.mark.parametrize("said", ["", "text/html"])
    def test_is_seen_by_its_content(
        self, bob: Client, caller: Caller, content: bytes, media_type: str, filename: str, said: str
    ) -> None:
        answer = send(caller, KIND, file_part(content, filename=filename, said=said))

        document = ClientDocument.objects.get(client=bob)
        assert answer.status == 201
        assert answer.data == {
            "id": str(document.id),
            "kind": "identity",
            "media_type": media_type,
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "created_at": answer.data["created_at"],
        }

    def test_is_safe_to_repeat(self, caller: Caller) -> None:
        first, again = (send(caller, KIND, file_part(make_pdf())) for _ in range(2))

        assert (again.status, again.data) == (201, first.data)

    def test_works_as_a_common_library_sends_it(self, caller: Caller) -> None:
        form = {"kind": "selfie", "file": SimpleUploadedFile("Ana Araújo.jpg", make_jpeg(), "image/jpeg")}
        http = HttpClient(headers={"Authorization": f"Bearer {caller.token}"})

        assert http.post(f"/api/v1/{PATH}", form).status_code == 201

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"MZ", "no PDF, JPEG or PNG"),
            (make_jpeg()[:100], "broken"),
            (make_pdf() + b"<html>", "web page"),
            (make_pdf(change=lambda writer: writer.encrypt("secret")), "encrypted"),
        ],
        ids=["other", "broken", "two in one", "encrypted"],
    )
    def test_refuses_a_file_by_name_and_says_why(self, caller: Caller, content: bytes, says: str) -> None:
        answer = send(caller, KIND, file_part(content))

        assert answer.refusal == (422, "unsupported_document")
        assert says in answer.body["data"]["message"]
        assert not ClientDocument.objects.exists()

    @pytest.mark.parametrize(
        ("parts", "fields"),
        [
            ([], {"kind", "file"}),
            ([KIND], {"file"}),
            ([file_part(make_pdf())], {"kind"}),
            ([KIND, file_part(b"")], {"file"}),
            ([KIND, ('Content-Disposition: form-data; name="file"', make_pdf())], {"file"}),
            ([(KIND[0], b"passport"), file_part(make_pdf())], {"kind"}),
            ([(KIND[0], b""), file_part(make_pdf())], {"kind"}),
            ([file_part(b"identity", name="kind"), file_part(make_pdf())], {"kind"}),
            ([KIND, KIND, file_part(make_pdf())], {"kind"}),
            ([KIND, file_part(make_pdf()), file_part(make_jpeg())], {"file"}),
            ([KIND, file_part(make_pdf()), file_part(make_jpeg(), name="more")], {"more"}),
            ([KIND, file_part(make_pdf()), ('Content-Disposition: form-data; name="client"', b"1")], {"client"}),
        ],
        ids=lambda value: ",".join(sorted(value)) if isinstance(value, set) else "",
    )
    def test_names_the_part_at_fault(self, caller: Caller, parts: Any, fields: set[str]) -> None:
        answer = send(caller, *parts) if parts else caller.call("POST", PATH, content_type=FORM)

        assert answer.refusal == (400, "validation_error")
        assert set(answer.errors) == fields

    @pytest.mark.parametrize("filename", ["a\0.pdf", "a\r\nX: y.pdf", "a" * 5_000], ids=["NUL", "line", "long"])
    def test_refuses_what_is_no_name_of_a_file(self, caller: Caller, filename: str) -> None:
        assert send(caller, KIND, file_part(make_pdf(), filename=filename)).refusal == (400, "validation_error")

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/pdf", "application/x-www-form-urlencoded", "", f"{FORM}; charset=utf-16",
         "multipart/mixed; boundary=frontier"],
    )  # fmt: skip
    def test_refuses_other_media_types(self, caller: Caller, content_type: str) -> None:
        answer = send(caller, KIND, file_part(make_pdf()), content_type=content_type)

        assert answer.refusal == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type",
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
         f"multipart/form-data; boundary={'x' * 71}", "multipart/form-data; boundary=é"],
    )  # fmt: skip
    def test_refuses_a_form_without_its_boundary(self, caller: Caller, content_type: str) -> None:
        answer = send(caller, KIND, file_part(make_pdf()), content_type=content_type)

        assert answer.refusal == (400, "validation_error")

    def test_takes_a_file_of_ten_megabytes_and_no_byte_more(self, caller: Caller, settings: Settings) -> None:
        pdf = make_pdf()
        largest = pdf[:9] + b"%" + b" " * (settings.MAX_UPLOAD_BYTES - len(pdf) - 2) + b"\n" + pdf[9:]

        too_large = send(caller, KIND, file_part(largest + b"\n"))
        fits = send(caller, KIND, file_part(largest))

        assert too_large.refusal == (413, "payload_too_large")
        assert (fits.status, fits.data["size_bytes"]) == (201, 10 * 1024 * 1024)

    def test_refuses_a_form_that_is_larger_than_its_file_may_be(self, caller: Caller, settings: Settings) -> None:
        settings.MAX_FORM_BYTES = 1_000

        assert send(caller, KIND, file_part(b" " * 1_000)).refusal == (413, "payload_too_large")

    def test_refuses_a_body_in_chunks(self, caller: Caller) -> None:
        answer = caller.call("POST", PATH, content_type=FORM, headers={"Transfer-Encoding": "chunked"})

        assert answer.refusal == (411, "length_required")

    def test_is_limited_apart_from_other_writes(self, caller: Caller, settings: Settings) -> None:
        settings.UPLOADS_PER_MINUTE = 1
        send(caller, KIND, file_part(make_pdf()))

        assert send(caller, KIND, file_part(make_pdf())).refusal == (429, "rate_limited")
        assert caller.get(PATH).status == 200
        assert caller.patch("clients/me", {}).status == 200

    def test_refuses_more_than_a_client_may_have(self, caller: Caller, settings: Settings) -> None:
        settings.MAX_DOCUMENTS_PER_CLIENT = 1
        send(caller, KIND, file_part(make_pdf()))

        assert send(caller, KIND, file_part(make_jpeg())).refusal == (409, "too_many_documents")

    def test_is_not_for_staff(self) -> None:
        staff = Caller(make_token(make_staff(), Scope.CLIENTS_WRITE))

        assert send(staff, KIND, file_part(make_pdf())).refusal == (403, "insufficient_scope")


class TestReading:
    """GET /clients/me/documents and one of them."""

    def test_lists_them_newest_first_page_by_page(self, caller: Caller) -> None:
        sent = [send(caller, KIND, file_part(make_pdf(pages=pages))).data for pages in (1, 2, 3)]

        page = caller.get(PATH, page_size=2).data
        rest = caller.get(page["next"]).data

        assert page["results"] + rest["results"] == sent[::-1]
        assert rest["next"] is None

    def test_shows_one(self, caller: Caller) -> None:
        sent = send(caller, KIND, file_part(make_pdf())).data

        assert caller.get(f"{PATH}/{sent['id']}").data == sent

    def test_anothers_and_none_look_alike(self, caller: Caller) -> None:
        other = call_as(make_client())
        sent = send(caller, KIND, file_part(make_pdf())).data

        anothers, none = other.get(f"{PATH}/{sent['id']}"), other.get(f"{PATH}/{uuid4()}")

        assert anothers.refusal == none.refusal == (404, "not_found")
        assert anothers.body["data"]["message"] == none.body["data"]["message"]
        assert other.get(PATH).data["results"] == []

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
    def test_nothing_of_them_is_changed(self, caller: Caller, method: str) -> None:
        sent = send(caller, KIND, file_part(make_pdf())).data

        for path in (PATH, f"{PATH}/{sent['id']}"):
            assert caller.call(method, path).refusal == (405, "method_not_allowed")

    def test_head_is_a_get_without_a_body(self, caller: Caller) -> None:
        response = HttpClient(headers={"Authorization": f"Bearer {caller.token}"}).head(f"/api/v1/{PATH}")

        assert (response.status_code, response.content) == (200, b"")
