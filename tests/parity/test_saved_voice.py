"""Saved voices in the real host: the loop cannot tell one from the voice that was just encoded."""

from dataclasses import replace
from datetime import date, timedelta

import folder_paths
import pytest
import torch

from idlora_core.guidance import Scales
from idlora_core.reference import Reference
from idlora_core.sigmas import ltx2_sigmas
from idlora_core.voice_file import Voice, read_voice, write_voice
from idlora_pack.nodes.host.flac import decode_flac, encode_flac
from idlora_pack.nodes.host.guider import identity_guider
from idlora_pack.nodes.host.settings import GuiderSettings
from idlora_pack.nodes.host.vae import encode_reference
from idlora_pack.nodes.host.vae_fingerprint import DIGITS, PARTS, vae_fingerprint
from idlora_pack.nodes.host.voice_folder import FOLDER, SHIPPED, voice_names
from support import recordings, vaes
from tools.media import VOICE

STEPS = 2


@pytest.fixture
def folder(tmp_path):
    """A voice folder of its own for one test."""
    kept = folder_paths.folder_names_and_paths.pop(FOLDER, None)
    folder_paths.add_model_folder_path(FOLDER, str(tmp_path / "idlora_voices"))
    yield tmp_path / "idlora_voices"
    folder_paths.folder_names_and_paths.pop(FOLDER)
    folder_paths.filename_list_cache.pop(FOLDER, None)
    if kept:
        folder_paths.folder_names_and_paths[FOLDER] = kept


@pytest.fixture(scope="module")
def audio_vae(checkpoint):
    return vaes.audio_vae(checkpoint)


@pytest.fixture(scope="module")
def other_vae(checkpoint):
    """The audio VAE of the other model family."""
    name = "small_ltx20" if checkpoint.stem == "small_ltx23" else "small_ltx23"
    return vaes.audio_vae(checkpoint.with_name(f"{name}.safetensors"))


@pytest.fixture
def encoded(audio_vae):
    """The example voice as Encode Reference Audio gives it: reference and audio."""
    waveform, sample_rate = recordings.read(VOICE)
    node = vaes.node("reference", "EncodeReferenceAudio")
    result = node.execute({"waveform": waveform, "sample_rate": sample_rate}, audio_vae, 2.0, 0.12)
    return result.args[:2]


def save(encoded, name="Ada", **inputs):
    reference, audio = encoded
    vaes.node("voices", "SaveVoice").execute(reference, name, audio, **inputs)


def load(name="Ada", vae=None):
    return vaes.node("voices", "LoadVoice").execute(name, vae)


def test_the_loop_is_bit_equal(folder, model, clip, denoise, encoded):
    reference, _ = encoded
    save(encoded)
    loaded = load().args[0]
    assert torch.equal(loaded.latent, reference.latent) and torch.equal(loaded.bounds(), reference.bounds())
    assert (loaded.audio_vae, loaded.vae_fingerprint) == (reference.audio_vae, reference.vae_fingerprint)

    def run(voice):
        settings = GuiderSettings(
            video=Scales(cfg=3.0, stg=1.0, av_bimodal=3.0),
            audio=Scales(cfg=7.0, identity=4.0, stg=1.0, av_bimodal=3.0),
            stg_block_indices="2",
        )
        guider = identity_guider(model, *clip.conditioning, settings=settings, reference=voice)
        return denoise(guider, clip, ltx2_sigmas(STEPS))

    pairs = zip(run(reference), run(loaded), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    other = replace(reference, latent=reference.latent.flip(2))
    assert not torch.equal(run(other)[1], run(reference)[1]), "the reference changes nothing"


def test_with_the_same_vae_connected_nothing_is_encoded_again(folder, encoded, audio_vae):
    save(encoded)
    assert torch.equal(load(vae=audio_vae).args[0].latent, encoded[0].latent)


def test_for_another_vae_the_recording_is_encoded_again(folder, encoded, other_vae):
    save(encoded)
    reference, audio, _ = load(vae=other_vae).args
    waveform = encoded[1]["waveform"]
    assert (audio["waveform"] - waveform).abs().max() <= 2**-15
    expected = encode_reference(other_vae, audio["waveform"])
    assert torch.equal(reference.latent, expected) and reference.gap_seconds == 0.12
    assert reference.vae_fingerprint != encoded[0].vae_fingerprint


def test_without_the_recording_another_vae_is_refused_by_name(folder, encoded, other_vae):
    save(encoded, keep_audio=False)
    with pytest.raises(ValueError) as caught:
        load(vae=other_vae)
    assert encoded[0].vae_fingerprint in str(caught.value) and "has no recording inside" in str(caught.value)
    reference, audio, _ = load().args
    assert torch.equal(reference.latent, encoded[0].latent)
    assert "saved without its recording" in audio.message


def test_every_audio_vae_has_a_fingerprint_of_its_own(audio_vae, other_vae, checkpoint):
    own = vae_fingerprint(audio_vae)
    rate, digest = own.split(" Hz, ")
    assert int(rate) == audio_vae.first_stage_model.output_sample_rate and len(digest) == DIGITS
    assert own == vae_fingerprint(vaes.audio_vae(checkpoint)) != vae_fingerprint(other_vae)
    names = audio_vae.first_stage_model.autoencoder.state_dict()
    for part in PARTS:
        assert any(name.startswith(part) for name in names), part


def test_the_encoder_alone_tells_two_vaes_apart(audio_vae):
    before = vae_fingerprint(audio_vae)
    weights = audio_vae.first_stage_model.autoencoder.encoder.conv_in.state_dict()
    weight = next(iter(weights.values()))
    kept = weight.flatten()[0].item()
    weight.view(-1)[0] += 0.1
    changed = vae_fingerprint(audio_vae)
    weight.view(-1)[0] = kept
    assert changed != before == vae_fingerprint(audio_vae)


def test_consent_that_has_ended_is_refused_and_today_still_counts(folder, encoded):
    today = date.today()
    save(encoded, consent_by="Ada L.", consent_until=today.isoformat())
    load()
    yesterday = (today - timedelta(days=1)).isoformat()
    save(encoded, "Eve", consent_by="Eve L.", consent_until=yesterday)
    with pytest.raises(
        ValueError, match=f"consent that Eve L. gave for the voice 'Eve' ended on {yesterday}"
    ):
        load("Eve")


def test_consent_comes_as_text_for_a_signed_clip(folder, encoded):
    save(encoded, consent_by="Ada L.", consent_scope="this film", consent_statement="Go on.")
    save(encoded, "Bea")
    assert load().args[2] == 'Consent by Ada L., for this film. "Go on."'
    assert load("Bea").args[2] == ""


def test_a_voice_is_not_overwritten_without_a_word(folder, encoded):
    save(encoded)
    before = (folder / "Ada.safetensors").read_bytes()
    with pytest.raises(ValueError, match="There is a voice Ada.safetensors already"):
        save(encoded)
    save(encoded, if_exists="add a number")
    save(encoded, if_exists="add a number")
    assert sorted(file.stem for file in folder.iterdir()) == ["Ada", "Ada 2", "Ada 3"]
    assert (folder / "Ada.safetensors").read_bytes() == before
    assert read_voice(folder / "Ada 3.safetensors").name == "Ada 3"
    save(encoded, if_exists="replace it", language="English")
    assert read_voice(folder / "Ada.safetensors").language == "English"


@pytest.mark.parametrize("change", ["longer", "faster"])
def test_a_recording_that_is_not_the_voices_is_not_kept(folder, encoded, change):
    reference, audio = encoded
    waveform = audio["waveform"].repeat(1, 1, 2) if change == "longer" else audio["waveform"]
    rate = audio["sample_rate"] * (1 if change == "longer" else 3)
    with pytest.raises(ValueError, match="Connect the audio output of the Encode Reference Audio"):
        save((reference, {"waveform": waveform, "sample_rate": rate}))
    assert not folder.exists()


def test_the_list_shows_users_voices_then_those_that_ship(folder, encoded):
    save(encoded, "Zoë")
    (folder / "notes.txt").write_text("no voice")
    names = voice_names()
    assert names[0] == "Zoë" and "notes" not in names
    assert all(name.startswith("Synthetic") for name in names[1:]) and len(names) == 4


def test_the_voices_that_ship_need_a_vae_and_belong_to_nobody(folder, audio_vae):
    for path in sorted(SHIPPED.glob("*.safetensors")):
        assert "nobody's voice" in read_voice(path).consent.statement
        with pytest.raises(ValueError, match="not encoded yet: connect audio_vae"):
            load(path.stem)
        reference, audio, consent = load(path.stem, audio_vae).args
        assert consent.startswith("Consent by the maker of this synthetic voice")
        assert 3 < audio["waveform"].shape[-1] / audio["sample_rate"] < 8
        assert reference.num_tokens > 75


def test_fingerprint_of_the_node_follows_the_file(folder, encoded):
    node = vaes.node("voices", "LoadVoice")
    save(encoded)
    before = node.fingerprint_inputs(voice="Ada")
    assert before == node.fingerprint_inputs(voice="Ada") and str(date.today()) in before
    save(encoded, if_exists="replace it", language="a longer language than before")
    assert node.fingerprint_inputs(voice="Ada") != before


def test_a_small_file_with_hours_of_silence_is_refused(folder):
    hour = encode_flac(torch.zeros(1, 1, 3600 * 16_000), 16_000)
    assert len(hour) < 1_000_000
    write_voice(Voice("Bomb", flac=hour), folder / "Bomb.safetensors")
    with pytest.raises(ValueError, match="longer than 60 s"):
        load("Bomb")


@pytest.mark.parametrize("content", [b"fLaC", b"RIFF" + bytes(100), b"\0" * 1000])
def test_a_recording_that_is_no_flac_is_refused(folder, encoded, content):
    write_voice(Voice("Ada", Reference(encoded[0].latent), content), folder / "Ada.safetensors")
    with pytest.raises(ValueError, match="The recording in this voice file"):
        load()


@pytest.mark.parametrize("channels", [1, 2])
def test_flac_keeps_sixteen_bits_and_the_rate(channels):
    waveform = torch.rand(1, channels, 5_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    back, rate = decode_flac(encode_flac(waveform, 24_000))
    assert rate == 24_000 and (back - waveform).abs().max() <= 2**-15
