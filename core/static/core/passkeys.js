// Asks the browser for a passkey and sends what it says. The page holds the options; see core/admin/factors.py.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const options = document.getElementById("passkey-options");
    const button = document.getElementById("passkey-button");
    if (!options || !button) {
        return;
    }
    const failed = document.getElementById("passkey-failed");
    button.addEventListener("click", async (event) => {
        event.preventDefault();
        failed.hidden = true;
        try {
            const asked = JSON.parse(options.textContent);
            const made = await (button.dataset.does === "make" ? webauthnJSON.create(asked) : webauthnJSON.get(asked));
            const form = button.closest("form");
            form.elements.namedItem("credential").value = JSON.stringify(made);
            form.submit();
        } catch {
            failed.hidden = false;
        }
    });
});
