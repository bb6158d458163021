"""The catalogue of translations holds what the program says, translated, in both of its forms."""

from babel.messages.catalog import Catalog

from bank.catalogue import list_faults, list_messages, read_catalogue


def test_the_catalogue_is_complete() -> None:
    faults = list(list_faults(read_catalogue(), list_messages()))

    assert faults == [], "Run manage.py update_catalogue, translate in locale/, run it again."


def test_finds_what_is_missing_unused_untranslated_or_loses_a_placeholder() -> None:
    catalogue = Catalog(locale="pt_BR")
    catalogue.add("Unused", "Sem uso")
    catalogue.add("Empty", "")
    catalogue.add("Account %(number)s", "Conta")
    catalogue.add(("%(count)d day", "%(count)d days"), ("%(count)d dia", ""))

    faults = list(
        list_faults(catalogue, {"Missing", "Empty", "Account %(number)s", ("%(count)d day", "%(count)d days")})
    )

    assert [fault.partition(":")[0] for fault in faults] == [
        "Not in the catalogue",
        "Nothing says it any more",
        "Other placeholders",
        "Not translated",
        "Not translated",
        "django.mo is not made from django.po.",
    ]
