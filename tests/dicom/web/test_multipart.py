from email import message_from_bytes, policy

from dicom.web.multipart import Multipart


def test_a_mail_parser_reads_the_parts() -> None:
    parts = Multipart("image/jpeg")
    bodies = [b"\xff\xd8one\r\n--", b"", b"\r\n\r\n" + bytes(range(256))]
    told = b"".join(
        parts.head("image/jpeg; transfer-syntax=1.2", len(body), "http://here/1") + body
        for body in bodies
    )
    head = f"Content-Type: {parts.content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + told + parts.end(), policy=policy.HTTP)
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == "image/jpeg"
    found = list(message.iter_parts())  # type: ignore[attr-defined] # of policies newer than its type
    assert [part["Content-Length"] for part in found] == [str(len(body)) for body in bodies]
    assert {part.get_content_type() for part in found} == {"image/jpeg"}
    for part in found:
        assert part.get_param("transfer-syntax") == "1.2"


def test_every_answer_has_a_boundary_of_its_own() -> None:
    assert Multipart("a/b").boundary != Multipart("a/b").boundary
