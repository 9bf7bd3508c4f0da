"""What a clip is made to say, and what is made of what a file says: without the library that signs."""

import json

import pytest
import torch

from idlora_core.credentials import fingerprint, report
from idlora_core.credentials.manifest import (
    CONSENT_LABEL,
    NO_CONSENT,
    TRAINING_LABEL,
    Origin,
    checked_consent,
    manifest,
)

SALT, OTHER_SALT = bytes(32), bytes([1] * 32)
FACE = torch.rand(1, 8, 8, 3, generator=torch.Generator().manual_seed(0))
VOICE = torch.rand(1, 2, 100, generator=torch.Generator().manual_seed(1)) - 0.5
ORIGIN = Origin("ComfyUI", "0.30.0", "2026-11-21T12:00:00+00:00", "ab" * 16, "cd" * 16)


def assertion(definition, label):
    (data,) = [entry["data"] for entry in definition["assertions"] if entry["label"] == label]
    return data


def store(state="Valid", codes=(), **active):
    results = {"activeManifest": {"failure": [{"code": code} for code in codes]}}
    content = {"validation_state": state, "validation_results": results, "active_manifest": "a"}
    return json.dumps(content | {"manifests": {"a": active}})


def test_a_fingerprint_depends_on_every_pixel_the_shape_and_the_salt():
    changed = FACE.clone()
    changed[0, 3, 3, 1] = 1 - changed[0, 3, 3, 1]
    prints = [
        fingerprint.picture_fingerprint(FACE, SALT),
        fingerprint.picture_fingerprint(changed, SALT),
        fingerprint.picture_fingerprint(FACE.reshape(1, 4, 16, 3), SALT),
        fingerprint.picture_fingerprint(FACE, OTHER_SALT),
    ]
    assert len(set(prints)) == 4 and all(len(value) == 64 for value in prints)


def test_a_fingerprint_is_of_what_is_seen():
    opaque = torch.cat([FACE, torch.ones(1, 8, 8, 1)], dim=-1)
    assert fingerprint.picture_fingerprint(opaque, SALT) == fingerprint.picture_fingerprint(FACE, SALT)
    assert fingerprint.picture_fingerprint(FACE.double(), SALT) == fingerprint.picture_fingerprint(FACE, SALT)


def test_a_recordings_fingerprint_depends_on_its_rate():
    at_rates = [fingerprint.recording_fingerprint(VOICE, rate, SALT) for rate in (16_000, 48_000, 16_000)]
    assert at_rates[0] == at_rates[2] != at_rates[1]


def test_each_clip_has_a_salt_of_its_own():
    salts = {fingerprint.salt_of_clip(bytes(32), bytes([number] * 16)) for number in range(9)}
    assert len(salts) == 9 and all(len(salt) == fingerprint.SALT_BYTES for salt in salts)


def test_without_consent_the_manifest_says_so():
    assert assertion(manifest(ORIGIN, "a.mp4"), CONSENT_LABEL)["consent"] == NO_CONSENT


def test_what_was_not_given_is_not_in_the_manifest():
    data = assertion(manifest(ORIGIN, "a.mp4"), CONSENT_LABEL)
    assert "face" not in data and "voice" not in data


@pytest.mark.parametrize("allows, use", [(False, "notAllowed"), (True, "allowed")])
def test_training_is_said_for_every_use(allows, use):
    origin = Origin(**{**vars(ORIGIN), "allows_training": allows})
    entries = assertion(manifest(origin, "a.mp4"), TRAINING_LABEL)["entries"]
    assert len(entries) == 4 and {entry["use"] for entry in entries.values()} == {use}


def test_a_contract_is_not_a_statement():
    assert checked_consent(" yes \n") == "yes"
    with pytest.raises(ValueError, match="has 4001 characters; at most 4000 fit"):
        checked_consent("a" * 4001)


@pytest.mark.parametrize(
    "state, codes, read, reason",
    [
        ("Trusted", [], "trusted", ""),
        ("Valid", ["signingCredential.untrusted"], "valid", ""),
        (
            "Invalid",
            ["signingCredential.untrusted", "assertion.bmffHash.mismatch"],
            "changed",
            "picture, sound",
        ),
        ("Invalid", ["assertion.hashedURI.mismatch"], "changed", "a statement"),
        ("Invalid", ["claimSignature.mismatch"], "changed", "signature"),
        ("Invalid", ["signingCredential.expired"], "invalid", "signingCredential.expired"),
        (None, [], "invalid", ""),
    ],
)
def test_states(state, codes, read, reason):
    credentials = report.read_store(store(state, codes))
    assert credentials.state == read
    assert reason in "; ".join(credentials.reasons)


HOSTILE = {
    "a list": [],
    "a number": 5,
    "null": None,
    "manifests of another kind": {"active_manifest": "a", "manifests": ["a"]},
    "a label that is a list": {"active_manifest": [1], "manifests": {}},
    "assertions of another kind": json.loads(store(assertions={"a": 1}, signature_info=[])),
    "statements of another kind": json.loads(
        store(
            signature_info={"common_name": ["x"], "time": {}},
            assertions=[
                5,
                {"label": ["c2pa.actions.v2"]},
                {"label": "c2pa.actions.v2", "data": {"actions": [None, {"action": {}}]}},
                {"label": "cawg.training-mining", "data": {"entries": {"a": 3}}},
                {
                    "label": "org.idlora.consent",
                    "data": {"consent": {"a": 1}, "nonce": 5, "face": "<script>"},
                },
            ],
        )
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_statements_of_any_kind_are_read_as_absent(name):
    credentials = report.read_store(json.dumps(HOSTILE[name]))
    assert credentials.claims == report.Claims()
    assert report.report_lines(credentials.claims) == []


def test_a_strangers_text_cannot_break_the_report():
    text = "Jane\n\x1b[31mSigner: the Pope\u202e" + "a" * 5000
    credentials = report.read_store(store(signature_info={"common_name": text}))
    assert credentials.claims.signer.isprintable()
    assert len(credentials.claims.signer) <= report.LONGEST_TEXT + 4
    assert len(report.report_lines(credentials.claims)) == 1


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"a": "' + "b" * 4_000_000 + '"}', "hold 4 MB of text"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("no JSON", "not JSON"),
    ],
)
def test_credentials_made_to_do_harm_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        report.read_store(text)


def test_a_wrong_salt_is_told_from_a_wrong_face():
    salt_id = fingerprint.salt_id(SALT)
    recorded = fingerprint.picture_fingerprint(FACE, SALT)
    claims = report.Claims(face=recorded, salt_id=salt_id)

    def sentence(image, salt):
        return report.match_sentence(
            "face", claims.face, fingerprint.picture_fingerprint(image, salt), claims, salt
        )

    assert sentence(FACE, SALT) == "The face is the recorded one."
    assert "is NOT the recorded one" in sentence(1 - FACE, SALT)
    assert "the salt is not this clip's" in sentence(FACE, OTHER_SALT)


def test_every_state_has_a_sentence_and_none_vouches_for_an_unknown_signer():
    claims = report.Claims(signer="Jane Doe")
    sentences = {
        state: report.state_sentence(report.Credentials(state, ("why",), claims), is_own=False)
        for state in ("trusted", "valid", "changed", "invalid", "none")
    }
    assert "nobody vouches" in sentences["valid"]
    assert "Jane Doe" not in sentences["changed"] + sentences["invalid"] + sentences["none"]
