"""What may go wrong while signing: bad keys, a full disk, two at once, Stop. Never half a clip, never a leaked key."""

import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from idlora_core.whole_files import publish
from support.signing import film

UNPRIVILEGED = 65534


@pytest.fixture
def folder(host, installation) -> Path:
    return host("private_files").private_folder()


@pytest.fixture
def identity(host, installation):
    return host("signing_identity").identity


def clips(installation: Path) -> list[str]:
    """Everything in the clips' folder, hidden files too."""
    folder = installation / "output" / "video"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def test_the_key_is_made_once_and_is_its_owners_alone(identity, folder):
    first, second = identity("Jane"), identity("Jane")
    assert first == second and first.is_self_made
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("key.pem", "root_key.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_another_installation_has_another_key(identity, folder, installation):
    import folder_paths

    first = identity("Jane")
    folder_paths.set_user_directory(str(installation / "another"))
    assert identity("Jane").key != first.key


def test_the_key_is_in_no_clip_no_log_and_no_text(save, folder, caplog, identity):
    with caplog.at_level(logging.DEBUG):
        file = save()
    key = (folder / "key.pem").read_bytes()
    line = key.splitlines()[1]
    assert line not in file.read_bytes()
    assert line.decode() not in caplog.text and line.decode() not in repr(identity("Jane"))


def test_the_host_does_not_serve_the_keys_folder(folder, installation):
    import folder_paths

    assert folder.relative_to(installation / "user").parts[0] == "__idlora"
    assert folder_paths.get_public_user_directory("__idlora") is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_may_read_is_refused(identity, folder, mode):
    identity("Jane")
    (folder / "key.pem").chmod(mode)
    with pytest.raises(
        RuntimeError, match=rf"key.pem may be used by other users .*mode 0{mode:o}.*chmod 600"
    ):
        identity("Jane")


def test_a_key_that_cannot_be_read_is_named(host, identity, folder):
    identity("Jane")
    (folder / "key.pem").chmod(0)
    with unprivileged(), pytest.raises(RuntimeError, match="key.pem cannot be read: Permission denied"):
        host("private_files").read_private(folder / "key.pem")


@contextmanager
def unprivileged():
    """As a user who may not read everything, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(UNPRIVILEGED)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["key.pem", "root_key.pem"])
def test_half_a_key_is_refused_and_not_replaced(identity, folder, name):
    identity("Jane")
    half = (folder / name).read_bytes()[:100]
    (folder / name).write_bytes(half)
    with pytest.raises(RuntimeError, match=f"{name} does not hold a private key") as error:
        identity("Jane")
    assert (folder / name).read_bytes() == half
    assert half.splitlines()[1].decode() not in str(error.value)


def test_half_a_secret_is_refused(save, check, host, folder):
    claims = check(save())[0].claims
    (folder / "salt.secret").write_bytes(b"half")
    with pytest.raises(RuntimeError, match="has 4 bytes instead of 32"):
        host("origin").salt_of(claims, "")


def test_many_at_once_make_one_key(host, installation):
    """A first use from many threads, as from two ComfyUIs that share a user folder."""
    start, keys = threading.Barrier(8), []

    def use():
        start.wait()
        keys.append(host("signing_identity").identity("Jane").key)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8 and len(set(keys)) == 1


@pytest.mark.parametrize("name", ["a" * 65, "two\nlines"])
def test_a_name_that_no_certificate_holds_is_refused(identity, name):
    with pytest.raises(ValueError, match="one line of at most 64 characters"):
        identity(name)


def own_chain(folder: Path, *kind: str) -> tuple[Path, Path]:
    """A chain and key as a certificate authority gives them, made by openssl."""
    kind = kind or ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")
    (folder / "leaf.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    for who in ("ca", "leaf"):
        openssl("genpkey", "-algorithm", *kind, "-out", folder / f"{who}.key")
    ca = ("-key", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/O=Studio CA/CN=Studio CA")
    openssl("req", "-x509", "-new", "-days", "90", *ca)
    request = ("-key", folder / "leaf.key", "-out", folder / "leaf.csr", "-subj", "/O=Studio/CN=Studio Ltd")
    openssl("req", "-new", *request)
    signing = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-extfile", folder / "leaf.ext")
    openssl("x509", "-req", "-in", folder / "leaf.csr", "-days", "30", *signing, "-out", folder / "leaf.pem")
    (folder / "chain.pem").write_bytes((folder / "leaf.pem").read_bytes() + (folder / "ca.pem").read_bytes())
    (folder / "leaf.key").chmod(0o600)
    return folder / "chain.pem", folder / "leaf.key"


KINDS = {
    "P-256": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "RSA": ("rsa", "-pkeyopt", "rsa_keygen_bits:2048"),
    "Ed25519": ("ed25519",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_ones_own_signs_instead(save, check, settings, tmp_path, kind):
    chain, key = own_chain(tmp_path, *KINDS[kind])
    settings(certificates=str(chain), key=str(key), trusted=str(tmp_path / "ca.pem"))
    credentials, is_own = check(save(signer="Somebody else"))
    assert (credentials.state, is_own, credentials.claims.signer) == ("trusted", False, "Studio Ltd")


@pytest.fixture
def settings(folder):
    def write(text: str | None = None, **entries: str) -> None:
        import json

        (folder / "settings.json").write_text(json.dumps(entries) if text is None else text)

    return write


def test_the_settings_name_is_used_where_the_node_has_none(identity, settings):
    settings(name="Jane Doe")
    assert identity(" ").name == "Jane Doe" and identity("Other").name == "Other"


BAD_SETTINGS = {
    "no JSON": ("{", "settings.json cannot be read as JSON"),
    "a list": ("[]", "must hold one JSON object"),
    "a typing error": ('{"nam": "Jane"}', "'nam' is not an entry"),
    "a number": ('{"name": 5}', "'name' is not an entry with a text"),
    "half a pair": ('{"key": "a.pem"}', "both 'certificates' and 'key'"),
    "no address": ('{"time_authority": "example"}', "give an address that begins with http"),
    "no such chain": ('{"key": "/no/a", "certificates": "/no/b"}', "/no/b cannot be read: No such file"),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
def test_bad_settings_are_told(identity, settings, name):
    text, words = BAD_SETTINGS[name]
    settings(text)
    with pytest.raises(RuntimeError, match=words):
        identity("Jane")


def test_a_key_of_another_certificate_is_refused(identity, settings, tmp_path):
    chain, _ = own_chain(tmp_path)
    shutil.copyfile(tmp_path / "ca.key", tmp_path / "other.key")
    (tmp_path / "other.key").chmod(0o600)
    settings(certificates=str(chain), key=str(tmp_path / "other.key"))
    with pytest.raises(RuntimeError, match="is not the key of the first certificate"):
        identity("")


def test_a_locked_key_is_refused(identity, settings, tmp_path):
    chain, key = own_chain(tmp_path)
    locked = tmp_path / "locked.key"
    openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:secret")
    locked.chmod(0o600)
    settings(certificates=str(chain), key=str(locked))
    with pytest.raises(RuntimeError, match="locked with a password"):
        identity("")


def test_a_certificate_that_is_not_for_signing_is_told_before_the_clip_has_its_name(
    save, settings, tmp_path, installation
):
    own_chain(tmp_path)
    (tmp_path / "ca.key").chmod(0o600)
    settings(certificates=str(tmp_path / "ca.pem"), key=str(tmp_path / "ca.key"))
    with pytest.raises(RuntimeError, match="could not be signed|does not verify"):
        save()
    assert clips(installation) == []


@pytest.mark.parametrize("room", [1_000, -1_000], ids=["for the clip", "not even for the clip"])
def test_a_disk_that_fills_up_leaves_nothing(save, installation, room):
    plain = save(signs=False)
    limit = plain.stat().st_size + room
    plain.unlink()
    with no_file_larger_than(limit), pytest.raises(RuntimeError, match="could not be (saved|signed)"):
        save()
    assert clips(installation) == []
    assert save().name == "clip_00001_.mp4"


@contextmanager
def no_file_larger_than(size: int):
    """The kernel refuses to write more, as a full disk does."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_two_saves_at_once_give_two_whole_clips(save, check, installation):
    files, start = [], threading.Barrier(2)

    def run():
        start.wait()
        files.append(save(film()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clips(installation) == ["clip_00001_.mp4", "clip_00002_.mp4"]
    assert [check(file)[0].state for file in files] == ["trusted", "trusted"]


def test_a_stopped_run_leaves_nothing(save, installation):
    import comfy.model_management as management

    management.interrupt_current_processing()
    with pytest.raises(management.InterruptProcessingException):
        save()
    assert clips(installation) == []


def test_a_file_that_is_there_is_never_replaced(tmp_path):
    (tmp_path / "part").write_text("new")
    (tmp_path / "target").write_text("old")
    assert not publish(tmp_path / "part", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "old"


def test_a_host_that_dies_while_signing_leaves_no_file_of_the_clips_name(host, installation):
    """Killed between writing and signing: what is left is hidden, and the next clip has its number."""
    from support.signing import METADATA

    process = os.fork()
    if process == 0:
        host("saved_video").save_video(film(), "video/clip", METADATA, lambda *_: os.kill(os.getpid(), 9))
        os._exit(1)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    assert clips(installation) and all(name.startswith(".") for name in clips(installation))


def test_a_time_authority_that_gives_none_is_named(save, settings, installation):
    settings(time_authority="http://127.0.0.1:9/stamp")
    with pytest.raises(
        RuntimeError, match=r"asked the time authority http://127.0.0.1:9/stamp of your settings"
    ):
        save()
    assert clips(installation) == []


def test_without_c2pa_python_the_sentence_says_what_to_install(comfy_tree):
    """In an interpreter that does not have it: a copy of sys.path without the package."""
    program = (
        "import sys, importlib.abc\n"
        "class Without(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.split('.')[0] == 'c2pa': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        f"sys.path[:0] = {[str(folder) for folder in Path(__file__).parents[1:3]]!r}\n"
        "import pathlib, tempfile, importlib\n"
        "from support import in_process\n"
        f"in_process.import_host(pathlib.Path({str(comfy_tree)!r}), pathlib.Path(tempfile.mkdtemp()))\n"
        "pack = in_process.import_pack()\n"
        "importlib.import_module(pack.__name__ + '.nodes.host.c2pa_files').library()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode and "pip install c2pa-python in ComfyUI's Python" in done.stderr.splitlines()[-1]
