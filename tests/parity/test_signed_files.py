"""Signing with the real c2pa-python on the host's own mp4 files: what is found again, and what breaks it."""

import json
import time
from pathlib import Path

import av
import pytest

from idlora_core.credentials.manifest import CONSENT_LABEL, NO_CONSENT, SOURCE_TYPE
from support.signing import CONSENT, FACE, METADATA, VOICE, film

MEGABYTE = 2**20


def boxes(file: Path) -> list[str]:
    content, at, names = file.read_bytes(), 0, []
    while at < len(content):
        names.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return names


def flipped(file: Path, at: int) -> Path:
    content = bytearray(file.read_bytes())
    assert 0 < at < len(content)
    content[at] ^= 1
    changed = file.with_name("changed.mp4")
    changed.write_bytes(content)
    return changed


def test_a_signed_clip_is_read_back_whole(save, check, host):
    credentials, is_own = check(save())
    claims = credentials.claims
    assert (credentials.state, is_own) == ("trusted", True)
    assert claims.signer == "Jane Doe" and claims.consent == CONSENT
    assert claims.source_type == SOURCE_TYPE and claims.training == "not allowed"
    assert claims.software.startswith("ComfyUI ") and claims.created and not claims.time_stamp
    salt = host("origin").salt_of(claims, "")
    assert host("origin").match_sentences(claims, FACE, VOICE, salt) == [
        "The face is the recorded one.",
        "The voice is the recorded one.",
    ]
    assert all("NOT" in text for text in host("origin").match_sentences(claims, 1 - FACE, None, salt))


def test_to_others_the_signer_is_unknown_until_they_trust_its_root(save, host):
    file = save()
    read = host("c2pa_files").read_file
    assert read(file).state == "valid"
    assert read(file, host("signing_identity").own_roots()).state == "trusted"


def test_the_users_list_of_trusted_roots_counts(save, check, host, installation):
    import folder_paths

    file, roots = save(), host("signing_identity").own_roots()
    folder_paths.set_user_directory(str(installation / "another"))
    assert (check(file)[0].state, check(file)[1]) == ("valid", False)
    (installation / "roots.pem").write_text(roots)
    write_settings(host, trusted=str(installation / "roots.pem"))
    assert (check(file)[0].state, check(file)[1]) == ("trusted", False)


def write_settings(host, **entries):
    path = host("private_files").private_folder() / "settings.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_the_file_grows_by_a_few_kilobytes_and_the_streams_are_the_same(save, record_property):
    plain, signed = save(signs=False), save()
    growth = signed.stat().st_size - plain.stat().st_size
    record_property("bytes_added", growth)
    assert 3_000 < growth < 6_000
    assert boxes(signed) == ["ftyp", "uuid", *boxes(plain)[1:]]
    assert packets(plain) == packets(signed)


def packets(file: Path) -> list[tuple[str, bytes]]:
    with av.open(str(file)) as container:
        return [(packet.stream.type, bytes(packet)) for packet in container.demux()]


def tags(file: Path) -> dict[str, str]:
    with av.open(str(file)) as container:
        return dict(container.metadata)


def test_the_graph_is_in_the_signed_file_as_in_the_plain_one(save):
    plain, signed = tags(save(signs=False)), tags(save())
    assert plain == signed
    assert json.loads(signed["workflow"]) == METADATA["workflow"]


@pytest.mark.parametrize(
    "what, words",
    [
        ("mdat", "picture, sound or tags"),
        ("workflow tag", "picture, sound or tags"),
        ("consent", "a statement"),
    ],
)
def test_one_changed_bit_is_found(save, check, what, words):
    file = save()
    content = file.read_bytes()
    at = {
        "mdat": content.rindex(b"mdat") + 5_000,
        "workflow tag": content.index(b"w" * 100),
        "consent": content.index(CONSENT.encode()),
    }[what]
    credentials, is_own = check(flipped(file, at))
    assert credentials.state == "changed" and not is_own
    assert words in credentials.reasons[0]


def test_each_bit_of_the_manifest_counts_or_is_said(save, check):
    """A bit anywhere in the manifest: the state is never trusted with other words than were signed."""
    file = save()
    content, (claims) = file.read_bytes(), check(file)[0].claims
    start, end = content.index(b"jumb"), content.index(b"moov")
    states = []
    for at in range(start, end, 97):
        credentials, _ = check(flipped(file, at))
        states.append(credentials.state)
        assert credentials.state not in ("trusted", "valid") or credentials.claims == claims
    assert states.count("changed") + states.count("invalid") > 0.5 * len(states)


def test_a_copy_made_by_another_program_has_no_credentials(save, check, installation):
    file, copy = save(), installation / "copy.mp4"
    with av.open(str(file)) as source, av.open(str(copy), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    assert check(copy)[0].state == "none"


def test_an_unsigned_clip_has_none(save, check):
    assert check(save(signs=False))[0].state == "none"


def test_neither_is_a_truncated_file_taken_for_whole(save, check):
    file = save()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert check(file)[0].state == "changed"


@pytest.mark.parametrize("content", [b"", b"\x1aE\xdf\xa3webm or so", b"hello"])
def test_what_is_no_mp4_is_refused(host, installation, content):
    (installation / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match="not an mp4 or mov"):
        host("c2pa_files").read_file(installation / "a.mp4")


def test_a_video_that_is_no_file_yet_has_none_to_check(host):
    with pytest.raises(ValueError, match="not a file yet"):
        host("credential_check").check(film())


def test_a_large_clip(save, check, record_property):
    signed = save(film(side=512, num_frames=140))
    assert signed.stat().st_size > 15 * MEGABYTE
    started = time.perf_counter()
    assert check(signed)[0].state == "trusted"
    record_property("seconds_to_check", time.perf_counter() - started)
    assert int.from_bytes(signed.read_bytes()[32:36], "big") < 6_000  # the box with the credentials


def test_without_a_name_or_consent_the_file_says_so(save, check):
    claims = check(save(signer="", consent=""))[0].claims
    assert claims.signer == "Name not given" and claims.consent == NO_CONSENT


def test_a_second_name_is_signed_by_the_same_key_and_both_stay_trusted(save, check, host):
    files = [save(signer="Jane Doe"), save(signer="Jöhn 王"), save(signer="Jane Doe")]
    assert [check(file)[0].claims.signer for file in files] == ["Jane Doe", "Jöhn 王", "Jane Doe"]
    assert all(check(file)[1] for file in files)
    assert len(list(host("private_files").private_folder().glob("certificates-*.pem"))) == 2


def test_the_manifest_as_the_reader_prints_it_has_no_thumbnail_and_no_salt(save, host, check):
    c2pa = host("c2pa_files").library()
    file = save()
    with open(file, "rb") as content, c2pa.Reader("video/mp4", content) as reader:
        store = json.loads(reader.json())
    active = store["manifests"][store["active_manifest"]]
    print(json.dumps(active, indent=1))
    labels = [assertion["label"] for assertion in active["assertions"]]
    assert sorted(labels) == ["c2pa.actions.v2", "c2pa.hash.bmff.v3", "cawg.training-mining", CONSENT_LABEL]
    assert "thumbnail" not in active and not active.get("ingredients")
    salt = host("origin").salt_of(check(file)[0].claims, "")
    assert salt.hex() not in json.dumps(store) and salt not in file.read_bytes()


def test_the_salt_opens_the_comparison_elsewhere_and_only_there(save, check, host, installation):
    import folder_paths

    file, origin = save(), host("origin")
    claims = check(file)[0].claims
    salt = origin.salt_to_give(claims, origin.salt_of(claims, ""))
    folder_paths.set_user_directory(str(installation / "another"))
    here = origin.salt_of(claims, "")
    assert origin.salt_to_give(claims, here) == ""
    assert "salt is not this clip's" in origin.match_sentences(claims, FACE, None, here)[0]
    given = origin.salt_of(claims, salt)
    assert origin.match_sentences(claims, FACE, None, given) == ["The face is the recorded one."]
    with pytest.raises(ValueError, match="64 digits"):
        origin.salt_of(claims, "not a salt")


def test_a_manifest_of_megabytes_is_refused(save, check, host):
    file = sign_as_stranger(host, save(signs=False), None, long_actions=50)
    with pytest.raises(ValueError, match="hold 5 MB of text"):
        check(file)


def test_statements_under_our_name_in_another_form_are_not_taken(save, check, host):
    data = {"consent": {"a": [1]}, "nonce": ["b"], "face": 5}
    file = sign_as_stranger(host, save(signs=False), {"label": CONSENT_LABEL, "data": data})
    credentials, is_own = check(file)
    assert credentials.state == "trusted" and is_own
    assert credentials.claims.consent is None and credentials.claims.nonce is None


def test_a_deeply_nested_manifest_is_read_or_refused(save, check, host):
    data: dict = {}
    for _ in range(100):
        data = {"a": data}
    file = sign_as_stranger(host, save(signs=False), {"label": CONSENT_LABEL, "data": data})
    assert check(file)[0].claims.consent is None


def test_an_address_in_a_file_is_not_asked(save, check, host):
    """A file may say that its credentials are on the network: nobody is told that it was looked at."""
    import socketserver
    import threading

    asked = []

    class Ear(socketserver.BaseRequestHandler):
        def handle(self):
            asked.append(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = sign_as_stranger(
            host, save(signs=False), None, f"http://127.0.0.1:{server.server_address[1]}/m"
        )
        credentials, _ = check(file)
        server.shutdown()
    assert asked == []
    assert credentials.reasons == (host("c2pa_files").ELSEWHERE,) and credentials.state == "none"


def sign_as_stranger(host, source, assertion, remote_url=None, long_actions=0):
    """Sign by hand, with anything in the manifest."""
    c2pa, who = host("c2pa_files").library(), host("signing_identity").identity("Mallory")
    target = source.with_name("hostile.mp4")
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}, assertion]
    manifest = {"claim_generator_info": [{"name": "x"}], "assertions": list(filter(None, assertions))}
    info = c2pa.C2paSignerInfo(who.algorithm, who.certificates, who.key, None)
    with c2pa.Signer.from_info(info) as key, c2pa.Builder(manifest) as builder:
        for _ in range(long_actions):
            builder.add_action({"action": "c2pa.edited", "parameters": {"org.x.y": "a" * 100_000}})
        if remote_url:
            builder.set_no_embed()
            builder.set_remote_url(remote_url)
        with open(source, "rb") as unsigned, open(target, "w+b") as signed:
            builder.sign(key, "video/mp4", unsigned, signed)
    return target
