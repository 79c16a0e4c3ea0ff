/* The words of documents in the languages that customers read. */
#include "billing/print/internal.h"

#include <string.h>

static const struct {
    const char *english, *german;
} words[] = {
    {"Billing statement", "Abrechnung"},
    {"Credit note", "Gutschrift"},
    {"Adjustment", "Nachbelastung"},
    {"Non-payable billing statement: it is not an invoice, and no payment is due on it.",
     "Abrechnung ohne Zahlungsaufforderung: keine Rechnung, und es wird keine Zahlung fällig."},
    {"CUSTOMER", "KUNDE"},
    {"CUSTOMERS", "KUNDEN"},
    {"and", "und"},
    {"more", "weitere"},
    {"Tax no. *", "Steuernr. *"},
    {"Number", "Nummer"},
    {"Period", "Zeitraum"},
    {"to", "bis"},
    {"Issued", "Ausgestellt"},
    {"Corrects", "Berichtigt"},
    {"a period without a document", "einen Zeitraum ohne Beleg"},
    {"Currency", "Währung"},
    {"Exchange rate", "Wechselkurs"},
    {"Rate set by", "Kurs von"},
    {"Document id", "Beleg-ID"},
    {"Summary", "Übersicht"},
    {"By customer, before tax", "Nach Kunden, ohne Steuern"},
    {"Subtotal", "Zwischensumme"},
    {"Total in", "Gesamt in"},
    {"Account", "Konto"},
    {"Description", "Beschreibung"},
    {"Class", "Art"},
    {"Quantity", "Menge"},
    {"Unit", "Einheit"},
    {"Unit price", "Einzelpreis"},
    {"Amount", "Betrag"},
    {"up to", "bis"},
    {"above", "darüber"},
    {"Amounts are rounded so that they add up to the subtotal. Quantities are shown with at most six decimals.",
     "Gerundete Beträge ergeben zusammen die Zwischensumme. Mengen haben höchstens sechs Nachkommastellen."},
    {"Page", "Seite"},
    {"of", "von"},
    /* parts and classes */
    {"Usage and fees", "Nutzung und Gebühren"},
    {"Custom charges", "Weitere Leistungen"},
    {"Credits", "Gutschriften"},
    {"Usage", "Nutzung"},
    {"Fee", "Gebühr"},
    {"Refund", "Erstattung"},
    {"Credit", "Gutschrift"},
    {"Charge", "Leistung"},
    {"Tax", "Steuer"},
    /* columns of CSV files */
    {"row", "Zeile"},
    {"document", "Beleg"},
    {"number", "Nummer"},
    {"kind", "Belegart"},
    {"period", "Monat"},
    {"cycle_start", "von"},
    {"cycle_end", "bis"},
    {"customer", "Kunde"},
    {"customer_name", "Kundenname"},
    {"account", "Konto"},
    {"account_name", "Kontoname"},
    {"product", "Dienst"},
    {"usage_type", "Nutzungsart"},
    {"class", "Art"},
    {"quantity", "Menge"},
    {"unit", "Einheit"},
    {"currency", "Währung"},
    {"amount_exact", "Betrag_genau"},
    {"amount", "Betrag"},
    {"source_currency", "Ursprungswährung"},
    {"exchange_rate", "Wechselkurs"},
    {"tags", "Tags"},
    {"unit_price", "Einzelpreis"},
    {"tiers", "Staffel"},
};

const char *cm_say(const json_t *view, const char *english)
{
    if (strcmp(cm_print_text(view, "language"), "de") != 0)
        return english;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].english, english) == 0)
            return words[i].german;
    return english; /* the same in both */
}
