"""Opens mails with PGPy: lines `SECRET SENDER MESSAGE OUT` in, one answer a line out."""
import sys
import warnings

warnings.simplefilter("ignore")
import pgpy  # noqa: E402


def opened(secret, sender, message, out):
    key, _ = pgpy.PGPKey.from_file(secret)
    team, _ = pgpy.PGPKey.from_file(sender)
    clear = key.decrypt(pgpy.PGPMessage.from_file(message))
    text = clear.message
    if isinstance(text, str):
        text = text.encode("utf-8")
    with open(out, "wb") as file:
        file.write(bytes(text))
    return "signed" if clear.is_signed and bool(team.verify(clear)) else "unsigned"


for line in sys.stdin:
    try:
        print(opened(*line.split()))
    except Exception as error:  # whatever it is, the mail stays closed
        print("closed", type(error).__name__)
