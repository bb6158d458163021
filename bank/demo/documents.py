"""What applicants have sent to be verified: a picture of a card and a bill, plainly invented."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from bank.demo.people import DemoClient

_CARD = (760, 480)
_INK, _PAPER, _SHADE = "#1f2937", "#eef2ee", "#9db4a4"
_STREET = "Rua das Flores 12, 01000-000 São Paulo"


def draw_card(client: DemoClient) -> bytes:
    """Return an identity card of the client as PNG."""
    image = Image.new("RGB", _CARD, _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((12, 12, 748, 468), radius=24, outline=_SHADE, width=6)
    draw.rectangle((50, 110, 260, 390), fill=_SHADE)
    draw.ellipse((105, 150, 205, 265), fill=_PAPER)
    draw.pieslice((70, 275, 240, 505), start=180, end=360, fill=_PAPER)
    lines = (
        (44, "Specimen of an identity card", 30),
        (130, client.name, 40),
        (215, f"Born {client.birth_date:%Y-%m-%d}", 28),
        (265, f"{client.document_type.label} {client.document_number}", 28),
        (345, "Made for the demo: proves nothing", 22),
    )
    for top, text, size in lines:
        draw.text((50 if top < 100 else 295, top), text, fill=_INK, font=ImageFont.load_default(size))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def write_bill(client: DemoClient) -> bytes:
    """Return a bill that shows where the client lives, as PDF."""
    file = BytesIO()
    _, height = A5
    canvas = Canvas(file, pagesize=A5, invariant=True)
    canvas.setTitle("Specimen of a bill")
    lines = ("Specimen of an electricity bill", client.name, _STREET, "To be paid: 84.20 BRL", "Made for the demo.")
    for number, line in enumerate(lines):
        canvas.setFont("Helvetica-Bold" if number == 0 else "Helvetica", 18 if number == 0 else 12)
        canvas.drawString(50, height - 70 - 34 * number, line)
    canvas.save()
    return file.getvalue()
