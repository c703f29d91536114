"""Uses the page of a built cetnet-serve in headless Chromium: picks a picture, drops one, goes by keyboard alone, meets a
file that is no picture and a server that wants a token; in light and dark, wide and narrow.

    pip install playwright        # and Debian's chromium
    python check_page.py PROGRAM MODELS [FOLDER]

Writes screenshots to FOLDER. Nothing but the server's own address may be asked.
"""
import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

program, models = sys.argv[1], Path(sys.argv[2])
folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
digit = {label: next((models / "digits" / "images").glob(f"digit-{label}-*.png")) for label in "37"}


def start(*options):
    process = subprocess.Popen(
        [program, str(models), "--port", "0", "--quiet", *options], stderr=subprocess.PIPE, text=True)
    line = next(line for line in process.stderr if line.startswith("Serving"))
    return process, line.split(" on ")[1].split(" with ")[0]


def main():
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as temporary:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        process, address = start()
        try:
            for scheme, width in [("light", 1000), ("dark", 1000), ("light", 380)]:
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 760})
                page = context.new_page()
                foreign, errors = [], []
                page.on("request", lambda request: foreign.append(request.url)
                        if not request.url.startswith((address, "blob:", "data:")) else None)
                page.on("pageerror", lambda error: errors.append(str(error)))
                page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

                def shot(name):
                    if folder: page.screenshot(path=folder / f"page-{scheme}-{width}-{name}.png", full_page=True)
                page.goto(address)
                expect(page.locator("#model")).to_be_enabled()
                page.locator("#model").select_option("digits")
                shot("empty")
                # Picked.
                page.locator("#file").set_input_files(digit["3"])
                expect(page.locator("#result li").first).to_contain_text("3")
                expect(page.locator("#result li")).to_have_count(5)
                expect(page.locator("#timing")).to_contain_text("compute")
                shot("picked")
                # Dropped.
                data = base64.b64encode(digit["7"].read_bytes()).decode()
                transfer = page.evaluate_handle("""data => {
                    const transfer = new DataTransfer();
                    const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
                    transfer.items.add(new File([bytes], "seven.png", {type: "image/png"}));
                    return transfer; }""", data)
                page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
                expect(page.locator("#result li").first).to_contain_text("7")
                expect(page.locator("#hint")).to_have_text("seven.png")
                # By keyboard: the model and the file are what Tab stops at.
                page.evaluate("document.activeElement.blur()")
                stops = []
                for _ in range(4):
                    page.keyboard.press("Tab")
                    stops.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
                assert stops[:2] == ["model", "file"], stops
                with page.expect_file_chooser() as chooser:
                    page.locator("#file").focus()
                    page.keyboard.press("Enter")
                chooser.value.set_files(digit["3"])
                expect(page.locator("#result li").first).to_contain_text("3")
                # A file that is no picture: the one error that the console may show is the refusal.
                page.wait_for_timeout(100)
                assert not errors, errors
                text = Path(temporary) / "text.png"
                text.write_text("no picture")
                page.locator("#file").set_input_files(text)
                expect(page.locator("#result .bad")).to_contain_text("JPEG or PNG")
                shot("refused")
                assert not foreign, foreign
                context.close()
        finally:
            process.kill()
        token = Path(temporary) / "token"
        token.write_text("secret")
        process, address = start("--token-file", str(token))
        try:
            page = browser.new_page()
            page.goto(address)
            page.locator("#token").fill("secret")
            page.keyboard.press("Enter")
            expect(page.locator("#model")).to_be_enabled()
            page.locator("#file").set_input_files(digit["7"])
            expect(page.locator("#result li")).to_have_count(5)
        finally:
            process.kill()
        browser.close()
    print("The page works: picked, dropped, by keyboard, refused, with a token; in light and dark, wide and narrow.")


main()
