"""Tables of jobs: as people and spreadsheets write them, and what is wrong with one in a sentence."""

import pytest

from tbd.cli.drawing.batch_jobs import Job, Status, read_jobs
from tbd.errors import InputError


@pytest.fixture
def table(tmp_path):
    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "jobs.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_a_row_is_read_from_the_table_s_folder(table, tmp_path):
    (job,) = read_jobs(
        table(
            "portrait,audio,emotion,seed,head motion,output\n".replace("head motion", "head-motion")
            + 'me.jpg,/abs/v.wav,"sad, then happy",7,0.5,out/a.mp4\n'
        )
    )
    files = {"portrait": str(tmp_path / "me.jpg"), "audio": "/abs/v.wav", "output": str(tmp_path / "out/a.mp4")}
    assert job == Job(2, {**files, "emotion": "sad, then happy", "seed": 7, "head_motion": 0.5})


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-8-sig"), ("\t", "utf-16")])
def test_spreadsheets_write_other_delimiters_and_a_byte_order_mark(table, delimiter, encoding):
    lines = [["Portrait", "Audio", "Emotion", "Output"], ["a.png", "b.wav", "", "c.mp4"], ["", "", "", ""]]
    (job,) = read_jobs(table("\r\n".join(map(delimiter.join, lines)), encoding))
    assert "emotion" not in job.values and job.output.endswith("c.mp4")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("portrait,audio,output\n", "no rows"),
        ("portrait,audio\na,b\n", "lacks the column output"),
        ("portrait,audio,output,emotoin\na,b,c.mp4,sad\n", "did you mean emotion"),
        ("portrait,audio,output,seed,seed\na,b,c.mp4,1,2\n", "two columns of one name: seed"),
        ("portrait,audio,output\na,b,c.mp4\nd,e,./c.mp4\n", "in row 2 and again in row 3"),
        ("portrait,audio,output,plan_output\na,b,c.mp4,p.json\nd,e,f.mp4,p.json\n", "in row 2 and again in row 3"),
    ],
)
def test_a_table_that_cannot_be_is_refused_as_a_whole(table, text, says):
    with pytest.raises(InputError, match=says):
        read_jobs(table(text))


def test_what_is_no_text_or_not_there(table, tmp_path):
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_jobs(table("ä", "latin-1"))
    with pytest.raises(InputError, match="There is no table"):
        read_jobs(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("cells", "says"),
    [("a,b,c.mp4,x", "seed is “x”, which is no whole number"), ("a,,c.mp4,1", "no audio"), ("a,b,c.mp4,1,2", "5 cells and the header 4")],
)
def test_a_row_with_a_fault_is_a_job_with_an_error(table, cells, says):
    jobs = read_jobs(table(f"portrait,audio,output,seed\n{cells}\nd,e,f.mp4,3\n"))
    assert says in jobs[0].error and not jobs[1].error


def test_done_means_the_same_video_from_the_same_files(tmp_path):
    portrait, video = tmp_path / "me.jpg", tmp_path / "a.mp4"
    portrait.write_bytes(b"1")
    video.write_bytes(b"2")
    job = Job(2, {"portrait": str(portrait), "audio": "none.wav", "output": str(video)})
    status = Status.beside(tmp_path / "jobs.csv")
    now = job.fingerprint({"seed": 1})
    assert not status.is_done(job, now)
    status.note(job, now, 1.0)
    again = Status.beside(tmp_path / "jobs.csv")
    assert again.is_done(job, now) and not again.is_done(job, job.fingerprint({"seed": 2}))
    portrait.write_bytes(b"11")
    assert not again.is_done(job, job.fingerprint({"seed": 1}))
    video.unlink()
    assert not again.is_done(job, now)


def test_a_broken_status_is_as_none(tmp_path):
    (tmp_path / "jobs.status.csv").write_bytes(b"\xff\xfe,,\n\0")
    assert Status.beside(tmp_path / "jobs.csv").rows == {}


def test_a_frame_that_there_is_not(table):
    (job,) = read_jobs(table("portrait,audio,output,frame\na,b,c.mp4,whole\n"))
    assert "neither portrait nor full" in job.error
