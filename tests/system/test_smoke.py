"""The shortest way through the house."""


def test_copy_backup_restore(daemon, make_box, gpg_home, tmp_path):
    here, there = make_box(project="work"), make_box(project="home")
    here.write("/root/letter", b"dear reader\n")

    copied = daemon.anklume("portal", "copy", here.place("/root/letter"),
                            there.place("/root/letter"))
    assert copied.status == 0, copied
    assert there.read("/root/letter") == b"dear reader\n"

    env = {"GNUPGHOME": str(gpg_home)}
    made = daemon.anklume("backup", "create", str(here), "--gpg",
                          "tests@example.org", "-o", tmp_path, env=env)
    assert made.status == 0, made
    archive = made.out.strip()

    restored = daemon.anklume("backup", "restore", "--file", archive, "--name",
                              "again", env=env)
    assert restored.status == 0, restored
    assert restored.out == "work/again\n"
    assert daemon.read("again", "/root/letter", "work") == b"dear reader\n"
    daemon.incus("delete", "again", "--project", "work")
