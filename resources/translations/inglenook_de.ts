<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>%Ln more are not attached.</source>
        <translation>
            <numerusform>Eine weitere Datei ist nicht angehängt.</numerusform>
            <numerusform>%Ln weitere Dateien sind nicht angehängt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A message takes at most %Ln files; the others are left aside.</source>
        <translation>
            <numerusform>Eine Nachricht nimmt höchstens eine Datei mit; die anderen bleiben weg.</numerusform>
            <numerusform>Eine Nachricht nimmt höchstens %Ln Dateien mit; die anderen bleiben weg.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; your instructions stay.</source>
        <translation>
            <numerusform>Nötig sind {n_prompt} Tokens, das Modell liest {n_ctx}. Die älteste Runde ({n_left_out} Tokens) würde ausgelassen; die Anweisungen bleiben.</numerusform>
            <numerusform>Nötig sind {n_prompt} Tokens, das Modell liest {n_ctx}. Die %Ln ältesten Runden ({n_left_out} Tokens) würden ausgelassen; die Anweisungen bleiben.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; all else stays.</source>
        <translation>
            <numerusform>Nötig sind {n_prompt} Tokens, das Modell liest {n_ctx}. Die älteste Runde ({n_left_out} Tokens) würde ausgelassen; alles andere bleibt.</numerusform>
            <numerusform>Nötig sind {n_prompt} Tokens, das Modell liest {n_ctx}. Die %Ln ältesten Runden ({n_left_out} Tokens) würden ausgelassen; alles andere bleibt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The model is summarising the %Ln oldest turns. Your message is sent as soon as it is done.</source>
        <translation>
            <numerusform>Das Modell fasst die älteste Runde zusammen. Danach geht die Nachricht sofort ab.</numerusform>
            <numerusform>Das Modell fasst die %Ln ältesten Runden zusammen. Danach geht die Nachricht sofort ab.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln requests · {tokens} tokens</source>
        <translation>
            <numerusform>%Ln Anfrage · {tokens} Tokens</numerusform>
            <numerusform>%Ln Anfragen · {tokens} Tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.</source>
        <translation>
            <numerusform>Die Datei der Chats war beschädigt. %Ln Chat wurde gerettet; die beschädigte Datei heißt jetzt {name}.</numerusform>
            <numerusform>Die Datei der Chats war beschädigt. %Ln Chats wurden gerettet; die beschädigte Datei heißt jetzt {name}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln empty folders imported.</source>
        <translation>
            <numerusform>Ein leerer Ordner importiert.</numerusform>
            <numerusform>%Ln leere Ordner importiert.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats imported.</source>
        <translation>
            <numerusform>Ein Chat importiert.</numerusform>
            <numerusform>%Ln Chats importiert.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats were here already.</source>
        <translation>
            <numerusform>Einer war schon da.</numerusform>
            <numerusform>%Ln waren schon da.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln messages of these chats could not be read.</source>
        <translation>
            <numerusform>%Ln Nachricht dieser Chats war nicht lesbar.</numerusform>
            <numerusform>%Ln Nachrichten dieser Chats waren nicht lesbar.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats could not be read.</source>
        <translation>
            <numerusform>%Ln Chat war nicht lesbar.</numerusform>
            <numerusform>%Ln Chats waren nicht lesbar.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats could not be read: {names}.</source>
        <translation>
            <numerusform>%Ln Chat war nicht lesbar: {names}.</numerusform>
            <numerusform>%Ln Chats waren nicht lesbar: {names}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation>
            <numerusform>%Ln Token</numerusform>
            <numerusform>%Ln Tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{percent} % of %Ln draft tokens accepted</source>
        <translation>
            <numerusform>{percent} % von %Ln Entwurfstoken angenommen</numerusform>
            <numerusform>{percent} % von %Ln Entwurfstoken angenommen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s)</source>
        <translation>
            <numerusform>%Ln Chat</numerusform>
            <numerusform>%Ln Chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln models, one question</source>
        <translation>
            <numerusform>Ein Modell, eine Frage</numerusform>
            <numerusform>%Ln Modelle, eine Frage</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln answers from one reading of the prompt</source>
        <translation>
            <numerusform>%Ln Antwort, der Prompt nur einmal gelesen</numerusform>
            <numerusform>%Ln Antworten, der Prompt nur einmal gelesen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete from here on: %Ln messages</source>
        <translation>
            <numerusform>Ab hier löschen: %Ln Nachricht</numerusform>
            <numerusform>Ab hier löschen: %Ln Nachrichten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>This computer: %Ln cores, {memory} of memory, {free} free.</source>
        <translation>
            <numerusform>Dieser Computer: %Ln Kern, {memory} Speicher, {free} frei.</numerusform>
            <numerusform>Dieser Computer: %Ln Kerne, {memory} Speicher, {free} frei.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>on %Ln cards</source>
        <translation>
            <numerusform>auf %Ln Karte</numerusform>
            <numerusform>auf %Ln Karten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choose %Ln models or more.</source>
        <translation>
            <numerusform>Bitte mindestens ein Modell wählen.</numerusform>
            <numerusform>Mindestens %Ln Modelle wählen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>At most %Ln models can be compared.</source>
        <translation>
            <numerusform>Höchstens ein Modell kann verglichen werden.</numerusform>
            <numerusform>Höchstens %Ln Modelle können verglichen werden.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>AdapterList</name>
    <message>
        <source>Add an adapter…</source>
        <translation>Adapter hinzufügen…</translation>
    </message>
    <message>
        <source>Add LoRA adapters</source>
        <translation>LoRA-Adapter hinzufügen</translation>
    </message>
    <message>
        <source>LoRA adapters (*.gguf)</source>
        <translation>LoRA-Adapter (*.gguf)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>AdapterRow</name>
    <message>
        <source>Scale of {name}</source>
        <translation>Faktor von {name}</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>{name} entfernen</translation>
    </message>
    <message>
        <source>A number from {least} to {most}.</source>
        <translation>Eine Zahl von {least} bis {most}.</translation>
    </message>
</context>
<context>
    <name>AddressCard</name>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>Adresse kopieren</translation>
    </message>
    <message>
        <source>How to connect…</source>
        <translation>Verbinden…</translation>
    </message>
</context>
<context>
    <name>AlternativeRow</name>
    <message>
        <source>{word}, {percent}</source>
        <translation>{word}, {percent}</translation>
    </message>
</context>
<context>
    <name>AnswerView</name>
    <message>
        <source>Answer</source>
        <translation>Antwort</translation>
    </message>
</context>
<context>
    <name>ApiKeysCard</name>
    <message>
        <source>New key</source>
        <translation>Neuer Schlüssel</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Revoke the key of “{name}”</source>
        <translation>Schlüssel von „{name}“ widerrufen</translation>
    </message>
</context>
<context>
    <name>AttachmentChip</name>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation>
            <numerusform>%Ln Token</numerusform>
            <numerusform>%Ln Tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>{name} entfernen</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>{name}, being read</source>
        <translation>{name}, wird gelesen</translation>
    </message>
    <message>
        <source>{name}, tokens not counted yet</source>
        <translation>{name}, Tokens noch nicht gezählt</translation>
    </message>
    <message numerus="yes">
        <source>{name}, %Ln tokens</source>
        <translation>
            <numerusform>{name}, %Ln Token</numerusform>
            <numerusform>{name}, %Ln Tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CardLines</name>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Load again</source>
        <translation>Neu laden</translation>
    </message>
</context>
<context>
    <name>CardOptions</name>
    <message>
        <source>Layers on the graphics card</source>
        <translation>Schichten auf der Grafikkarte</translation>
    </message>
    <message>
        <source>Layers with experts on the processor</source>
        <translation>Schichten mit Experten auf dem Prozessor</translation>
    </message>
    <message>
        <source>Split between the cards</source>
        <translation>Aufteilung auf die Karten</translation>
    </message>
    <message>
        <source>Graphics card</source>
        <translation>Grafikkarte</translation>
    </message>
    <message>
        <source>0 to {most}. Empty: as many as fit.</source>
        <translation>0 bis {most}. Leer: so viele, wie passen.</translation>
    </message>
    <message>
        <source>0 to {most}. Empty: as few as needed.</source>
        <translation>0 bis {most}. Leer: so wenige wie nötig.</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Processor only</source>
        <translation>Nur Prozessor</translation>
    </message>
    <message>
        <source>{card}, which is missing</source>
        <translation>{card} (fehlt)</translation>
    </message>
    <message>
        <source>Computed on: {name}</source>
        <translation>Berechnet auf: {name}</translation>
    </message>
</context>
<context>
    <name>ChatListView</name>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
    <message>
        <source>{n} chats</source>
        <translation>{n} Chats</translation>
    </message>
    <message>
        <source>New folder</source>
        <translation>Neuer Ordner</translation>
    </message>
</context>
<context>
    <name>ChatListWiring</name>
    <message>
        <source>“{title}” is in the archive.</source>
        <translation>„{title}“ ist im Archiv.</translation>
    </message>
    <message>
        <source>{n} chats are in the archive.</source>
        <translation>{n} Chats sind im Archiv.</translation>
    </message>
    <message>
        <source>“{title}” is deleted.</source>
        <translation>„{title}“ ist gelöscht.</translation>
    </message>
    <message>
        <source>{n} chats are deleted.</source>
        <translation>{n} Chats sind gelöscht.</translation>
    </message>
    <message>
        <source>New folder</source>
        <translation>Neuer Ordner</translation>
    </message>
    <message>
        <source>The folder “{title}” is deleted; its chats stay.</source>
        <translation>Der Ordner „{title}“ ist gelöscht; seine Chats bleiben.</translation>
    </message>
</context>
<context>
    <name>ChatPage</name>
    <message>
        <source>Runs on this computer. Nothing leaves it.</source>
        <translation>Läuft auf diesem Computer. Nichts verlässt ihn.</translation>
    </message>
</context>
<context>
    <name>ChatSettingsSheet</name>
    <message>
        <source>Instructions</source>
        <translation>Anweisungen</translation>
    </message>
    <message>
        <source>Leave the oldest turns out when a chat is too long</source>
        <translation>Älteste Runden auslassen, wenn ein Chat zu lang ist</translation>
    </message>
    <message>
        <source>Close the settings of this chat</source>
        <translation>Einstellungen dieses Chats schließen</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
    <message>
        <source>This chat</source>
        <translation>Dieser Chat</translation>
    </message>
    <message>
        <source>Role of the model and style of its answers. The model reads this first.</source>
        <translation>Rolle des Modells und Stil der Antworten. Das Modell liest dies zuerst.</translation>
    </message>
    <message>
        <source>Model default</source>
        <translation>Vorgabe des Modells</translation>
    </message>
    <message>
        <source>Delete the summary</source>
        <translation>Zusammenfassung löschen</translation>
    </message>
    <message>
        <source>Reset all to defaults</source>
        <translation>Alles auf Standard zurücksetzen</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Vorgabe</translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation>Nachdenken</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>When the chat is too long</source>
        <translation>Wenn der Chat zu lang ist</translation>
    </message>
    <message>
        <source>Leave the oldest turns out without asking</source>
        <translation>Älteste Runden ohne Rückfrage auslassen</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Thinking: {choice}</source>
        <translation>Nachdenken: {choice}</translation>
    </message>
    <message>
        <source>Summary of the oldest turns: {summary}</source>
        <translation>Zusammenfassung der ältesten Runden: {summary}</translation>
    </message>
</context>
<context>
    <name>CommandPalette</name>
    <message>
        <source>Do something, or find a chat</source>
        <translation>Etwas tun oder einen Chat finden</translation>
    </message>
    <message>
        <source>What to do</source>
        <translation>Was zu tun ist</translation>
    </message>
    <message>
        <source>What there is to do</source>
        <translation>Was es zu tun gibt</translation>
    </message>
    <message>
        <source>No action or chat matches.</source>
        <translation>Keine Aktion und kein Chat passt.</translation>
    </message>
</context>
<context>
    <name>CompareSheet</name>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Modelle vergleichen</translation>
    </message>
    <message>
        <source>Close the comparison of models</source>
        <translation>Modellvergleich schließen</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Message Inglenook</source>
        <translation>Nachricht an Inglenook</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Nachricht</translation>
    </message>
    <message>
        <source>Enter sends, Shift Enter begins a new line</source>
        <translation>Eingabe sendet, Umschalt Eingabe beginnt eine neue Zeile</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Dateien anhängen</translation>
    </message>
    <message>
        <source>Settings of this chat (Ctrl ,)</source>
        <translation>Einstellungen dieses Chats (Strg ,)</translation>
    </message>
    <message>
        <source>Everyday</source>
        <translation>Alltag</translation>
    </message>
    <message>
        <source>{preset}, changed</source>
        <translation>{preset}, geändert</translation>
    </message>
    <message>
        <source>Preset: {preset}</source>
        <translation>Vorgabe: {preset}</translation>
    </message>
    <message>
        <source>Choose a preset</source>
        <translation>Vorgabe wählen</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Hält an …</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Antwort stoppen</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>Nachricht senden</translation>
    </message>
    <message>
        <source>Stop (Esc)</source>
        <translation>Stoppen (Esc)</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>Senden (Eingabe)</translation>
    </message>
</context>
<context>
    <name>ConnectionRow</name>
    <message>
        <source>Test the connection to {name}</source>
        <translation>Verbindung zu {name} prüfen</translation>
    </message>
    <message>
        <source>Edit the connection to {name}</source>
        <translation>Verbindung zu {name} bearbeiten</translation>
    </message>
    <message>
        <source>Remove the connection to {name}</source>
        <translation>Verbindung zu {name} entfernen</translation>
    </message>
</context>
<context>
    <name>ConnectionSheet</name>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Schlüssel</translation>
    </message>
    <message>
        <source>Remove the stored key</source>
        <translation>Gespeicherten Schlüssel entfernen</translation>
    </message>
    <message>
        <source>CA certificate</source>
        <translation>CA-Zertifikat</translation>
    </message>
    <message>
        <source>Client certificate</source>
        <translation>Client-Zertifikat</translation>
    </message>
    <message>
        <source>Key of the client certificate</source>
        <translation>Schlüssel des Client-Zertifikats</translation>
    </message>
    <message>
        <source>Choose a file…</source>
        <translation>Datei wählen …</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>New connection</source>
        <translation>Neue Verbindung</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Verbindung wird aufgebaut …</translation>
    </message>
    <message>
        <source>Program: {name}</source>
        <translation>Programm: {name}</translation>
    </message>
    <message>
        <source>A key is stored</source>
        <translation>Ein Schlüssel ist gespeichert</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keins</translation>
    </message>
    <message>
        <source>The address cannot be used: {reason}.</source>
        <translation>Die Adresse ist nicht verwendbar: {reason}.</translation>
    </message>
    <message>
        <source>For example gpu-box:8000 or https://api.example.com/v1.</source>
        <translation>Zum Beispiel gpu-box:8000 oder https://api.example.com/v1.</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>Datei wählen</translation>
    </message>
    <message>
        <source>Close the sheet of the connection</source>
        <translation>Blatt der Verbindung schließen</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>Programm</translation>
    </message>
    <message>
        <source>Stored in the system&apos;s keyring, or in a private file where no keyring works.</source>
        <translation>Wird im Schlüsselbund des Systems gespeichert oder, wo keiner funktioniert, in einer privaten Datei.</translation>
    </message>
</context>
<context>
    <name>ConnectionsSection</name>
    <message>
        <source>Add a connection</source>
        <translation>Verbindung hinzufügen</translation>
    </message>
    <message>
        <source>Models on other computers, or in other programs on this one, can answer here too. Nothing you write is sent to a server before you choose one of its models.</source>
        <translation>Auch Modelle auf anderen Computern oder in anderen Programmen auf diesem können hier antworten. Nichts Geschriebenes wird an einen Server gesendet, bevor eines seiner Modelle gewählt ist.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Verbindungen</translation>
    </message>
    <message>
        <source>Remove {name} and its key</source>
        <translation>{name} samt Schlüssel entfernen</translation>
    </message>
</context>
<context>
    <name>ContextMeter</name>
    <message>
        <source>{used} of {all}</source>
        <translation>{used} von {all}</translation>
    </message>
    <message>
        <source>Tokens of this chat and your draft, out of the model’s context</source>
        <translation>Tokens dieses Chats und des Entwurfs, von denen, die das Modell lesen kann</translation>
    </message>
    <message>
        <source>This is more than the model can read</source>
        <translation>Das ist mehr, als das Modell lesen kann</translation>
    </message>
    <message>
        <source>Oldest turns left out: {n}</source>
        <translation>Ausgelassene älteste Runden: {n}</translation>
    </message>
</context>
<context>
    <name>DownloadCard</name>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Download of {name}</source>
        <translation>Download von {name}</translation>
    </message>
    <message>
        <source>Pause {name}</source>
        <translation>{name} anhalten</translation>
    </message>
    <message>
        <source>Resume {name}</source>
        <translation>{name} fortsetzen</translation>
    </message>
    <message>
        <source>Cancel the download of {name}</source>
        <translation>Download von {name} abbrechen</translation>
    </message>
</context>
<context>
    <name>DraftModelField</name>
    <message>
        <source>None</source>
        <translation>Keins</translation>
    </message>
    <message>
        <source>No suitable model</source>
        <translation>Kein passendes Modell</translation>
    </message>
    <message>
        <source>Draft model: {name}</source>
        <translation>Entwurfsmodell: {name}</translation>
    </message>
</context>
<context>
    <name>DropZone</name>
    <message>
        <source>Drop files here to attach them</source>
        <translation>Dateien hier ablegen, um sie anzuhängen</translation>
    </message>
</context>
<context>
    <name>EndButton</name>
    <message>
        <source>Go to the end</source>
        <translation>Zum Ende</translation>
    </message>
</context>
<context>
    <name>EndpointPageHeader</name>
    <message>
        <source>Endpoint</source>
        <translation>Endpunkt</translation>
    </message>
    <message>
        <source>Other tools on this computer can use your model. Your own chat always has priority.</source>
        <translation>Andere Programme auf diesem Computer können das Modell benutzen. Der eigene Chat hat immer Vorrang.</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Endet…</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
</context>
<context>
    <name>EndpointWiring</name>
    <message>
        <source>Show the endpoint</source>
        <translation>Endpunkt anzeigen</translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message>
        <source>Find in this chat</source>
        <translation>In diesem Chat suchen</translation>
    </message>
    <message>
        <source>The one before</source>
        <translation>Vorige Stelle</translation>
    </message>
    <message>
        <source>The next one</source>
        <translation>Nächste Stelle</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>{place} of {n}</source>
        <translation>{place} von {n}</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>nichts</translation>
    </message>
</context>
<context>
    <name>FolderChip</name>
    <message>
        <source>{folder}: cannot be read</source>
        <translation>{folder}: nicht lesbar</translation>
    </message>
    <message>
        <source>Remove the folder {folder}</source>
        <translation>Ordner {folder} entfernen</translation>
    </message>
</context>
<context>
    <name>Greeting</name>
    <message>
        <source>Choose a model file…</source>
        <translation>Modelldatei wählen…</translation>
    </message>
    <message>
        <source>A model is loaded on this computer. Nothing you write leaves it.</source>
        <translation>Ein Modell ist auf diesem Computer geladen. Was hier geschrieben wird, bleibt hier.</translation>
    </message>
    <message>
        <source>The model is being loaded. You can already write; it answers as soon as it is ready.</source>
        <translation>Das Modell wird geladen. Schreiben geht schon jetzt; es antwortet, sobald es bereit ist.</translation>
    </message>
    <message>
        <source>There is no model yet. Choose a GGUF file on this computer; it is not copied.</source>
        <translation>Es gibt noch kein Modell. Eine GGUF-Datei auf diesem Computer auswählen; sie wird nicht kopiert.</translation>
    </message>
    <message>
        <source>Good morning</source>
        <translation>Guten Morgen</translation>
    </message>
    <message>
        <source>Good afternoon</source>
        <translation>Guten Tag</translation>
    </message>
    <message>
        <source>Good evening</source>
        <translation>Guten Abend</translation>
    </message>
    <message>
        <source>Draft a kind but firm reply</source>
        <translation>Freundlich, aber bestimmt antworten</translation>
    </message>
    <message>
        <source>Draft a kind but firm reply to this message:

</source>
        <translation>Entwirf eine freundliche, aber bestimmte Antwort auf diese Nachricht:

</translation>
    </message>
    <message>
        <source>Explain a piece of code</source>
        <translation>Ein Stück Code erklären</translation>
    </message>
    <message>
        <source>Explain what this code does, step by step:

</source>
        <translation>Erkläre Schritt für Schritt, was dieser Code tut:

</translation>
    </message>
    <message>
        <source>Turn notes into a plan</source>
        <translation>Aus Notizen einen Plan machen</translation>
    </message>
    <message>
        <source>Turn these notes into a plan with steps:

</source>
        <translation>Mache aus diesen Notizen einen Plan mit Schritten:

</translation>
    </message>
    <message>
        <source>Translate and explain</source>
        <translation>Übersetzen und erklären</translation>
    </message>
    <message>
        <source>Translate this and explain the hard words:

</source>
        <translation>Übersetze das und erkläre die schwierigen Wörter:

</translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Restore from the archive</source>
        <translation>Aus dem Archiv zurückholen</translation>
    </message>
    <message>
        <source>Show what tools are asking</source>
        <translation>Zeigen, was Programme fragen</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln tools</source>
        <translation>
            <numerusform>%Ln Programm</numerusform>
            <numerusform>%Ln Programme</numerusform>
        </translation>
    </message>
    <message>
        <source>{model} · {speed} tok/s</source>
        <translation>{model} · {speed} Tok/s</translation>
    </message>
    <message>
        <source>Model: {state}</source>
        <translation>Modell: {state}</translation>
    </message>
    <message>
        <source>Chat: {title}</source>
        <translation>Chat: {title}</translation>
    </message>
</context>
<context>
    <name>HelpPage</name>
    <message>
        <source>Topics</source>
        <translation>Themen</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
</context>
<context>
    <name>HubSearchSection</name>
    <message>
        <source>On Hugging Face</source>
        <translation>Auf Hugging Face</translation>
    </message>
    <message>
        <source>Searching Hugging Face for “{text}”…</source>
        <translation>Hugging Face wird nach „{text}“ durchsucht…</translation>
    </message>
    <message>
        <source>Hugging Face has no GGUF model named “{text}”.</source>
        <translation>Hugging Face hat kein GGUF-Modell namens „{text}“.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Search Hugging Face for “{text}”</source>
        <translation>„{text}“ auf Hugging Face suchen</translation>
    </message>
</context>
<context>
    <name>ImportExportCard</name>
    <message>
        <source>Import file…</source>
        <translation>Datei importieren…</translation>
    </message>
    <message>
        <source>Import folder…</source>
        <translation>Ordner importieren…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Wiederherstellen…</translation>
    </message>
    <message>
        <source>Do not restore</source>
        <translation>Nicht wiederherstellen</translation>
    </message>
    <message>
        <source>Imports chats from ChatGPT, Open WebUI, LM Studio, Jan, llama-server and Inglenook, and chats saved as Markdown. Chats that are here already are not changed.</source>
        <translation>Importiert Chats aus ChatGPT, Open WebUI, LM Studio, Jan, llama-server und Inglenook sowie als Markdown gespeicherte Chats. Vorhandene Chats werden nicht geändert.</translation>
    </message>
    <message>
        <source>Export all chats…</source>
        <translation>Alle Chats exportieren…</translation>
    </message>
    <message>
        <source>Back up…</source>
        <translation>Sichern…</translation>
    </message>
    <message>
        <source>Chats</source>
        <translation>Chats</translation>
    </message>
</context>
<context>
    <name>ImportExportWiring</name>
    <message>
        <source>Import file…</source>
        <translation>Datei importieren…</translation>
    </message>
    <message>
        <source>Import folder…</source>
        <translation>Ordner importieren…</translation>
    </message>
    <message>
        <source>Export all chats…</source>
        <translation>Alle Chats exportieren…</translation>
    </message>
    <message>
        <source>A backup is restored at the next start.</source>
        <translation>Beim nächsten Start wird eine Sicherung wiederhergestellt.</translation>
    </message>
    <message>
        <source>Reading {name}…</source>
        <translation>{name} wird gelesen…</translation>
    </message>
    <message>
        <source>Import chats</source>
        <translation>Chats importieren</translation>
    </message>
    <message>
        <source>Exports (*.json *.zip *.md)</source>
        <translation>Exporte (*.json *.zip *.md)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Backing up to {name}…</source>
        <translation>Sicherung nach {name} …</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>Sicherung wiederherstellen</translation>
    </message>
    <message>
        <source>Backups (*.zip)</source>
        <translation>Sicherungen (*.zip)</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>Speichern als</translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats so far…</source>
        <translation>
            <numerusform>Bisher %Ln Chat…</numerusform>
            <numerusform>Bisher %Ln Chats…</numerusform>
        </translation>
    </message>
    <message>
        <source>Saving {name}…</source>
        <translation>{name} wird gespeichert …</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>Gespeichert als {name}.</translation>
    </message>
    <message>
        <source>The backup of {day} is restored at the next start. The present chats and settings are kept in a folder.</source>
        <translation>Die Sicherung vom {day} wird beim nächsten Start wiederhergestellt. Die jetzigen Chats und Einstellungen bleiben in einem Ordner erhalten.</translation>
    </message>
    <message>
        <source>Close now</source>
        <translation>Jetzt schließen</translation>
    </message>
    <message>
        <source>No backup is restored; everything stays as it is.</source>
        <translation>Es wird keine Sicherung wiederhergestellt; alles bleibt, wie es ist.</translation>
    </message>
</context>
<context>
    <name>KeyRow</name>
    <message>
        <source>The endpoint&apos;s own key</source>
        <translation>Der eigene Schlüssel des Endpunkts</translation>
    </message>
    <message>
        <source>Copy the key of “{name}”</source>
        <translation>Schlüssel von „{name}“ kopieren</translation>
    </message>
    <message>
        <source>Revoke the key of “{name}”</source>
        <translation>Schlüssel von „{name}“ widerrufen</translation>
    </message>
</context>
<context>
    <name>LocalModelsSection</name>
    <message>
        <source>On this computer</source>
        <translation>Auf diesem Computer</translation>
    </message>
    <message>
        <source>Scanning…</source>
        <translation>Wird durchsucht…</translation>
    </message>
    <message>
        <source>No model here has “{text}” in its name.</source>
        <translation>Kein Modell hier hat „{text}“ im Namen.</translation>
    </message>
    <message>
        <source>Scanning your folders…</source>
        <translation>Ordner werden durchsucht…</translation>
    </message>
    <message>
        <source>There is no model yet. Add a folder with models, or download one of the models below.</source>
        <translation>Noch kein Modell. Einen Ordner mit Modellen hinzufügen oder eines der Modelle unten herunterladen.</translation>
    </message>
</context>
<context>
    <name>MemoryBar</name>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Your chats</source>
        <translation>Eigene Chats</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Programme</translation>
    </message>
    <message>
        <source>Free cache</source>
        <translation>Freier Cache</translation>
    </message>
    <message>
        <source>App</source>
        <translation>App</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
</context>
<context>
    <name>MemoryCard</name>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>{used} used · {left} free</source>
        <translation>{used} belegt · {left} frei</translation>
    </message>
    <message>
        <source>Cached on disk: {size}</source>
        <translation>Cache auf dem Datenträger: {size}</translation>
    </message>
    <message>
        <source>Used by: {list}</source>
        <translation>Belegt von: {list}</translation>
    </message>
</context>
<context>
    <name>MessageEditor</name>
    <message>
        <source>Edit the message</source>
        <translation>Nachricht bearbeiten</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Senden</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>A new version; the old one stays.</source>
        <translation>Eine neue Fassung; die alte bleibt.</translation>
    </message>
    <message>
        <source>A new version; the old one stays. Ctrl Enter saves.</source>
        <translation>Eine neue Fassung; die alte bleibt. Strg Eingabe speichert.</translation>
    </message>
</context>
<context>
    <name>MessageWiring</name>
    <message numerus="yes">
        <source>%Ln messages are deleted.</source>
        <translation>
            <numerusform>Die Nachricht ist gelöscht.</numerusform>
            <numerusform>%Ln Nachrichten sind gelöscht.</numerusform>
        </translation>
    </message>
    <message>
        <source>Save this code</source>
        <translation>Diesen Code speichern</translation>
    </message>
    <message>
        <source>{name} could not be saved: {reason}</source>
        <translation>{name} konnte nicht gespeichert werden: {reason}</translation>
    </message>
</context>
<context>
    <name>ModelListView</name>
    <message>
        <source>Settings of this model</source>
        <translation>Einstellungen dieses Modells</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Laden</translation>
    </message>
    <message>
        <source>Cancel loading</source>
        <translation>Laden abbrechen</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>Entladen</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Einstellungen…</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
</context>
<context>
    <name>ModelSearch</name>
    <message>
        <source>Search here and on Hugging Face</source>
        <translation>Hier und im Hub suchen</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Modelle suchen</translation>
    </message>
    <message>
        <source>Filters the models as you type. Enter searches Hugging Face.</source>
        <translation>Filtert die Modelle beim Tippen. Die Eingabetaste durchsucht Hugging Face.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Suche leeren</translation>
    </message>
</context>
<context>
    <name>ModelSettingsSheet</name>
    <message>
        <source>Tokens of context</source>
        <translation>Kontext in Tokens</translation>
    </message>
    <message>
        <source>KV cache: {choice}</source>
        <translation>KV-Cache: {choice}</translation>
    </message>
    <message>
        <source>On</source>
        <translation>An</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Aus</translation>
    </message>
    <message>
        <source>Draft tokens: {choice}</source>
        <translation>Entwurfstoken: {choice}</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>Entladen</translation>
    </message>
    <message>
        <source>Show in its folder</source>
        <translation>Im Ordner zeigen</translation>
    </message>
    <message>
        <source>{least} to {most}. Empty: automatic.</source>
        <translation>{least} bis {most}. Leer: automatisch.</translation>
    </message>
    <message>
        <source>Reload with these settings</source>
        <translation>Mit diesen Einstellungen neu laden</translation>
    </message>
    <message>
        <source>Close the settings of this model</source>
        <translation>Einstellungen dieses Modells schließen</translation>
    </message>
    <message>
        <source>Precision of the cached prompt. Lower precision takes less memory and reduces quality slightly.</source>
        <translation>Genauigkeit des gespeicherten Prompts. Weniger braucht weniger Speicher und senkt die Qualität leicht.</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV-Cache</translation>
    </message>
    <message>
        <source>LoRA adapters change the style or the knowledge of a model. With the scale 0, one is off.</source>
        <translation>LoRA-Adapter ändern den Stil oder das Wissen eines Modells. Mit dem Faktor 0 ist ein Adapter aus.</translation>
    </message>
    <message>
        <source>Adapters</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Laden</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Kontext</translation>
    </message>
    <message>
        <source>Text that repeats itself or the prompt is generated several tokens at a time.</source>
        <translation>Text, der sich selbst oder die Eingabe wiederholt, entsteht in Schritten von mehreren Tokens.</translation>
    </message>
    <message>
        <source>Draft tokens</source>
        <translation>Entwurfstoken</translation>
    </message>
    <message>
        <source>A small model with the same vocabulary drafts tokens where a text does not repeat itself; this model verifies them in one step. It needs memory of its own.</source>
        <translation>Ein kleines Modell mit demselben Vokabular schlägt Tokens vor, wo sich ein Text nicht wiederholt; dieses Modell prüft sie in einem Schritt. Es braucht eigenen Speicher.</translation>
    </message>
    <message>
        <source>Draft model</source>
        <translation>Entwurfsmodell</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Recommended</source>
        <translation>Empfohlen</translation>
    </message>
</context>
<context>
    <name>ModelsPageHeader</name>
    <message>
        <source>Add a folder</source>
        <translation>Ordner hinzufügen</translation>
    </message>
    <message>
        <source>Open a file</source>
        <translation>Datei öffnen</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
</context>
<context>
    <name>ModelsWiring</name>
    <message>
        <source>Add a folder with models</source>
        <translation>Ordner mit Modellen hinzufügen</translation>
    </message>
    <message>
        <source>The download of {name} stopped: {reason}</source>
        <translation>Der Download von {name} ist angehalten: {reason}</translation>
    </message>
    <message>
        <source>Show the models</source>
        <translation>Modelle anzeigen</translation>
    </message>
    <message>
        <source>{name} was downloaded.</source>
        <translation>{name} wurde heruntergeladen.</translation>
    </message>
    <message>
        <source>Load it</source>
        <translation>Laden</translation>
    </message>
</context>
<context>
    <name>NewKeyPanel</name>
    <message>
        <source>New key</source>
        <translation>Neuer Schlüssel</translation>
    </message>
    <message>
        <source>Copy the new key</source>
        <translation>Neuen Schlüssel kopieren</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>The key of “{name}”. It is shown only once: copy it now.</source>
        <translation>Der Schlüssel von „{name}“. Er wird nur einmal gezeigt: jetzt kopieren.</translation>
    </message>
</context>
<context>
    <name>NumberRow</name>
    <message>
        <source>Default: {value}</source>
        <translation>Standard: {value}</translation>
    </message>
    <message>
        <source>Reset to default: {name}</source>
        <translation>Auf Standard zurücksetzen: {name}</translation>
    </message>
    <message>
        <source>Reset to default</source>
        <translation>Auf Standard zurücksetzen</translation>
    </message>
</context>
<context>
    <name>OptionField</name>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
</context>
<context>
    <name>OriginRow</name>
    <message>
        <source>allowed</source>
        <translation>erlaubt</translation>
    </message>
    <message>
        <source>refused</source>
        <translation>abgewiesen</translation>
    </message>
    <message>
        <source>No longer allow {origin}</source>
        <translation>{origin} nicht mehr erlauben</translation>
    </message>
    <message>
        <source>Allow</source>
        <translation>Erlauben</translation>
    </message>
    <message>
        <source>Allow {origin}</source>
        <translation>{origin} erlauben</translation>
    </message>
</context>
<context>
    <name>OriginsCard</name>
    <message>
        <source>They send requests from a browser or from a window of their own. Each needs a key as well.</source>
        <translation>Sie senden Anfragen aus einem Browser oder aus einem eigenen Fenster. Jede braucht außerdem einen Schlüssel.</translation>
    </message>
    <message>
        <source>Web pages and apps</source>
        <translation>Webseiten und Apps</translation>
    </message>
</context>
<context>
    <name>OverflowCard</name>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close (Esc); your text stays</source>
        <translation>Schließen (Esc); der Text bleibt</translation>
    </message>
    <message>
        <source>Progress of the summary</source>
        <translation>Fortschritt der Zusammenfassung</translation>
    </message>
    <message>
        <source>Turns that would be left out</source>
        <translation>Runden, die ausgelassen würden</translation>
    </message>
    <message>
        <source>Leave them out</source>
        <translation>Auslassen</translation>
    </message>
    <message>
        <source>Summarise them</source>
        <translation>Zusammenfassen</translation>
    </message>
    <message>
        <source>Start afresh</source>
        <translation>Neu beginnen</translation>
    </message>
    <message>
        <source>Show them</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Hide them</source>
        <translation>Verbergen</translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>Save as…</source>
        <translation>Speichern als…</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen…</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name der Vorgabe</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>{preset}, changed</source>
        <translation>{preset}, geändert</translation>
    </message>
    <message>
        <source>Preset: {preset}</source>
        <translation>Vorgabe: {preset}</translation>
    </message>
</context>
<context>
    <name>QuickAskWindow</name>
    <message>
        <source>Quick ask</source>
        <translation>Schnelle Frage</translation>
    </message>
    <message>
        <source>Ask something</source>
        <translation>Eine Frage stellen</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Frage</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
    <message>
        <source>Enter sends the question in a new chat, Escape closes</source>
        <translation>Die Eingabetaste sendet die Frage in einem neuen Chat, Esc schließt</translation>
    </message>
    <message>
        <source>Open as chat</source>
        <translation>Als Chat öffnen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation>Antwort kopieren</translation>
    </message>
</context>
<context>
    <name>ReleaseDialog</name>
    <message>
        <source>Inglenook {version} is available</source>
        <translation>Inglenook {version} ist verfügbar</translation>
    </message>
    <message>
        <source>What is new</source>
        <translation>Was neu ist</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Jetzt nicht</translation>
    </message>
    <message>
        <source>Open the download page</source>
        <translation>Seite zum Herunterladen öffnen</translation>
    </message>
</context>
<context>
    <name>RequestListView</name>
    <message>
        <source>Requests of tools</source>
        <translation>Anfragen von Programmen</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stoppen</translation>
    </message>
    <message>
        <source>The text was not kept: it cannot be opened as a chat</source>
        <translation>Der Text wurde nicht behalten: als Chat öffnen nicht möglich</translation>
    </message>
    <message>
        <source>Open as a chat</source>
        <translation>Als Chat öffnen</translation>
    </message>
</context>
<context>
    <name>RequestsCard</name>
    <message>
        <source>Stop all</source>
        <translation>Alle stoppen</translation>
    </message>
    <message>
        <source>No requests yet. Requests of tools are listed here while they run.</source>
        <translation>Noch keine Anfragen. Anfragen von Programmen stehen hier, während sie laufen.</translation>
    </message>
    <message>
        <source>Keep request texts</source>
        <translation>Anfragetexte behalten</translation>
    </message>
    <message>
        <source>Keep request texts, so that a request can be opened as a chat. They are deleted when Inglenook closes.</source>
        <translation>Anfragetexte behalten, damit sich Anfragen als Chat öffnen lassen. Gelöscht, wenn Inglenook geschlossen wird.</translation>
    </message>
</context>
<context>
    <name>SearchField</name>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation>Alle Chats durchsuchen</translation>
    </message>
    <message>
        <source>Ctrl Shift F</source>
        <translation>Strg ⇧ F</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Suche leeren</translation>
    </message>
    <message>
        <source>Clear the search (Esc)</source>
        <translation>Suche leeren (Esc)</translation>
    </message>
</context>
<context>
    <name>SearchResultsView</name>
    <message>
        <source>Search results</source>
        <translation>Suchergebnisse</translation>
    </message>
    <message>
        <source>d MMM yyyy</source>
        <extracomment>Date format, see QDate.toString.</extracomment>
        <translation>d. MMM yyyy</translation>
    </message>
</context>
<context>
    <name>SearchWiring</name>
    <message>
        <source>No chat contains “{words}”.</source>
        <translation>Kein Chat enthält „{words}“.</translation>
    </message>
</context>
<context>
    <name>SelectionBar</name>
    <message>
        <source>Pin or unpin the selected chats</source>
        <translation>Ausgewählte Chats anheften oder lösen</translation>
    </message>
    <message>
        <source>Move the selected chats to a folder</source>
        <translation>Ausgewählte Chats in einen Ordner verschieben</translation>
    </message>
    <message>
        <source>Archive or unarchive the selected chats</source>
        <translation>Ausgewählte Chats archivieren oder aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Delete the selected chats</source>
        <translation>Ausgewählte Chats löschen</translation>
    </message>
    <message>
        <source>Clear the selection (Esc)</source>
        <translation>Auswahl aufheben (Esc)</translation>
    </message>
    <message>
        <source>{n} chosen</source>
        <translation>{n} gewählt</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>When something does not work, this helps to find out why. It names the machine, the versions and the model, and holds nothing of your chats.</source>
        <translation>Wenn etwas nicht geht, hilft das beim Suchen. Es nennt Computer, Versionen und Modell und enthält nichts aus den Chats.</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Erscheinungsbild</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Takes effect after a restart.</source>
        <translation>Wirkt nach einem Neustart.</translation>
    </message>
    <message>
        <source>Notifications and tray</source>
        <translation>Mitteilungen und Infobereich</translation>
    </message>
    <message>
        <source>About this Inglenook</source>
        <translation>Über dieses Inglenook</translation>
    </message>
    <message>
        <source>For a quick question from anywhere, give this command a key in the keyboard settings of your system. It opens a small window above all others, and the answer becomes a chat.</source>
        <translation>Für eine schnelle Frage von überall: diesem Befehl in den Tastatureinstellungen des Systems eine Taste geben. Er öffnet ein kleines Fenster über allen anderen, und die Antwort wird ein Chat.</translation>
    </message>
    <message>
        <source>Command for a quick question</source>
        <translation>Befehl für eine schnelle Frage</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Befehl kopieren</translation>
    </message>
</context>
<context>
    <name>ShortcutField</name>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
</context>
<context>
    <name>ShortcutsCard</name>
    <message>
        <source>Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Click a shortcut and press the new keys. Backspace removes it.</source>
        <translation>Ein Tastenkürzel anklicken und die neuen Tasten drücken. Die Rücktaste entfernt es.</translation>
    </message>
    <message>
        <source>Reset all shortcuts</source>
        <translation>Alle Tastenkürzel zurücksetzen</translation>
    </message>
    <message>
        <source>Shortcut for: {action}</source>
        <translation>Tastenkürzel für: {action}</translation>
    </message>
    <message>
        <source>{key} is needed for writing. Press it together with Ctrl or Alt, or use F1 to F12.</source>
        <translation>{key} wird zum Schreiben gebraucht. Zusammen mit Strg oder Alt drücken oder F1 bis F12 nehmen.</translation>
    </message>
    <message>
        <source>This shortcut is used by: {action}.</source>
        <translation>Dieses Tastenkürzel ist vergeben: {action}.</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Endpoint, on</source>
        <translation>Endpunkt, an</translation>
    </message>
    <message>
        <source>Endpoint, off</source>
        <translation>Endpunkt, aus</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Ctrl N</source>
        <translation>Strg N</translation>
    </message>
</context>
<context>
    <name>SidebarButton</name>
    <message>
        <source>Show the chats</source>
        <translation>Chats zeigen</translation>
    </message>
</context>
<context>
    <name>SnippetsCard</name>
    <message>
        <source>Tools</source>
        <translation>Programme</translation>
    </message>
    <message>
        <source>What to paste</source>
        <translation>Was einzufügen ist</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>Schlüssel zeigen</translation>
    </message>
    <message>
        <source>Copy the snippet</source>
        <translation>Schnipsel kopieren</translation>
    </message>
    <message>
        <source>Good evening</source>
        <translation>Guten Abend</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Schlüssel verbergen</translation>
    </message>
</context>
<context>
    <name>SplitField</name>
    <message>
        <source>{n} numbers, one for each card, such as {example}. Empty: by their free memory.</source>
        <translation>{n} Zahlen, eine je Karte, etwa {example}. Leer: nach freiem Speicher.</translation>
    </message>
</context>
<context>
    <name>StartFailureCard</name>
    <message>
        <source>Use another port</source>
        <translation>Anderen Port nehmen</translation>
    </message>
</context>
<context>
    <name>StepsSetting</name>
    <message>
        <source>Smaller text</source>
        <translation>Kleinere Schrift</translation>
    </message>
    <message>
        <source>Text in the usual size</source>
        <translation>Schrift in üblicher Größe</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Größere Schrift</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{setting}: {percent} %, back to 100 %</source>
        <translation>{setting}: {percent} %, zurück auf 100 %</translation>
    </message>
</context>
<context>
    <name>Toast</name>
    <message>
        <source>Dismiss</source>
        <translation>Ausblenden</translation>
    </message>
</context>
<context>
    <name>TokenAlternativesPopup</name>
    <message>
        <source>Instead of “{word}”</source>
        <translation>Statt „{word}“</translation>
    </message>
    <message>
        <source>Looking for other words…</source>
        <translation>Andere Wörter werden gesucht…</translation>
    </message>
    <message>
        <source>Choose one to go on from there</source>
        <translation>Eines wählen, um von dort fortzufahren</translation>
    </message>
    <message>
        <source>Nothing else was likely here</source>
        <translation>Nichts anderes lag hier nahe</translation>
    </message>
</context>
<context>
    <name>TranscriptView</name>
    <message>
        <source>Conversation</source>
        <translation>Gespräch</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Als Markdown kopieren</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>Alles auswählen</translation>
    </message>
    <message>
        <source>Other words here</source>
        <translation>Andere Wörter an dieser Stelle</translation>
    </message>
</context>
<context>
    <name>Tray</name>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Show the window</source>
        <translation>Fenster zeigen</translation>
    </message>
</context>
<context>
    <name>UndoStack</name>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>UpdateWiring</name>
    <message>
        <source>Yes</source>
        <translation>Ja</translation>
    </message>
    <message>
        <source>Check for updates</source>
        <translation>Nach Updates suchen</translation>
    </message>
    <message>
        <source>Check for new versions once a week? No personal data is sent.</source>
        <translation>Einmal pro Woche nach neuen Versionen suchen? Persönliche Daten werden nicht gesendet.</translation>
    </message>
    <message>
        <source>Could not check for a new version: {reason}.</source>
        <translation>Die Suche nach einer neuen Version ist fehlgeschlagen: {reason}.</translation>
    </message>
    <message>
        <source>Inglenook {version} is available.</source>
        <translation>Inglenook {version} ist verfügbar.</translation>
    </message>
    <message>
        <source>What is new</source>
        <translation>Was neu ist</translation>
    </message>
    <message>
        <source>This is the newest version.</source>
        <translation>Das ist die neueste Version.</translation>
    </message>
</context>
<context>
    <name>_ColumnTitles</name>
    <message>
        <source>Request</source>
        <translation>Anfrage</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Stand</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Tempo</translation>
    </message>
    <message>
        <source>Age</source>
        <translation>Zeit</translation>
    </message>
</context>
<context>
    <name>_NameField</name>
    <message>
        <source>Name of the tool, then Enter</source>
        <translation>Name des Programms, dann Eingabe</translation>
    </message>
    <message>
        <source>Name of the new key</source>
        <translation>Name des neuen Schlüssels</translation>
    </message>
</context>
<context>
    <name>actions</name>
    <message>
        <source>Do something, or find a chat</source>
        <translation>Etwas tun oder einen Chat finden</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation>Alle Chats durchsuchen</translation>
    </message>
    <message>
        <source>Go to the chat</source>
        <translation>Zum Chat</translation>
    </message>
    <message>
        <source>Go to the endpoint</source>
        <translation>Zum Endpunkt</translation>
    </message>
    <message>
        <source>Go to the models</source>
        <translation>Zu den Modellen</translation>
    </message>
    <message>
        <source>Go to the settings</source>
        <translation>Zu den Einstellungen</translation>
    </message>
    <message>
        <source>Markdown…</source>
        <translation>Markdown…</translation>
    </message>
    <message>
        <source>Web page…</source>
        <translation>Webseite…</translation>
    </message>
    <message>
        <source>PDF…</source>
        <translation>PDF…</translation>
    </message>
    <message>
        <source>Find in this chat</source>
        <translation>In diesem Chat suchen</translation>
    </message>
    <message>
        <source>Settings of this chat</source>
        <translation>Einstellungen dieses Chats</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Dateien anhängen</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Antwort stoppen</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Lösen</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Anheften</translation>
    </message>
    <message>
        <source>Export this chat as Markdown</source>
        <translation>Diesen Chat als Markdown exportieren</translation>
    </message>
    <message>
        <source>Export this chat as a web page</source>
        <translation>Diesen Chat als Webseite exportieren</translation>
    </message>
    <message>
        <source>Export this chat as PDF</source>
        <translation>Diesen Chat als PDF exportieren</translation>
    </message>
    <message>
        <source>Export this chat with all its branches</source>
        <translation>Diesen Chat mit allen Zweigen exportieren</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Archivieren</translation>
    </message>
    <message>
        <source>Rename this chat</source>
        <translation>Diesen Chat umbenennen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Pin or unpin this chat</source>
        <translation>Diesen Chat anheften oder lösen</translation>
    </message>
    <message>
        <source>Move to a folder…</source>
        <translation>In einen Ordner…</translation>
    </message>
    <message>
        <source>Delete this chat</source>
        <translation>Diesen Chat löschen</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Cancel loading</source>
        <translation>Laden abbrechen</translation>
    </message>
    <message>
        <source>Open a model file…</source>
        <translation>Modelldatei öffnen…</translation>
    </message>
    <message>
        <source>Cancel loading the model</source>
        <translation>Laden des Modells abbrechen</translation>
    </message>
    <message>
        <source>Light appearance</source>
        <translation>Helles Erscheinungsbild</translation>
    </message>
    <message>
        <source>Dark appearance</source>
        <translation>Dunkles Erscheinungsbild</translation>
    </message>
    <message>
        <source>Appearance as the system</source>
        <translation>Erscheinungsbild wie das System</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Größere Schrift</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Kleinere Schrift</translation>
    </message>
    <message>
        <source>Text in the usual size</source>
        <translation>Schrift in üblicher Größe</translation>
    </message>
    <message>
        <source>Turn the endpoint on or off</source>
        <translation>Endpunkt ein- oder ausschalten</translation>
    </message>
    <message>
        <source>Endpoint</source>
        <translation>Endpunkt</translation>
    </message>
    <message>
        <source>Undo the last deletion</source>
        <translation>Letzte Löschung rückgängig machen</translation>
    </message>
    <message>
        <source>Quit Inglenook</source>
        <translation>Inglenook beenden</translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation>Diagnose kopieren</translation>
    </message>
    <message>
        <source>Move this chat to a folder…</source>
        <translation>Diesen Chat in einen Ordner verschieben…</translation>
    </message>
    <message>
        <source>Archive or unarchive this chat</source>
        <translation>Diesen Chat archivieren oder aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Archive or unarchive the selected chats</source>
        <translation>Ausgewählte Chats archivieren oder aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Select all chats</source>
        <translation>Alle Chats auswählen</translation>
    </message>
    <message>
        <source>Pin or unpin the selected chats</source>
        <translation>Ausgewählte Chats anheften oder lösen</translation>
    </message>
    <message>
        <source>Move the selected chats to a folder…</source>
        <translation>Ausgewählte Chats in einen Ordner verschieben…</translation>
    </message>
    <message>
        <source>Export the selected chats as JSON…</source>
        <translation>Ausgewählte Chats als JSON exportieren…</translation>
    </message>
    <message>
        <source>Delete the selected chats</source>
        <translation>Ausgewählte Chats löschen</translation>
    </message>
    <message>
        <source>Go to the archive</source>
        <translation>Zum Archiv gehen</translation>
    </message>
    <message>
        <source>Unarchive</source>
        <translation>Aus dem Archiv holen</translation>
    </message>
    <message>
        <source>Move to</source>
        <translation>Verschieben nach</translation>
    </message>
    <message>
        <source>Export as</source>
        <translation>Exportieren als</translation>
    </message>
    <message>
        <source>Export as JSON…</source>
        <translation>Als JSON exportieren…</translation>
    </message>
    <message>
        <source>JSON with all branches…</source>
        <translation>JSON mit allen Zweigen…</translation>
    </message>
    <message>
        <source>Fold</source>
        <translation>Zuklappen</translation>
    </message>
    <message>
        <source>Unfold</source>
        <translation>Aufklappen</translation>
    </message>
    <message>
        <source>New chat here</source>
        <translation>Neuer Chat hier</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>Nach oben</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>Nach unten</translation>
    </message>
    <message>
        <source>New folder</source>
        <translation>Neuer Ordner</translation>
    </message>
    <message>
        <source>New chat in this folder</source>
        <translation>Neuer Chat in diesem Ordner</translation>
    </message>
    <message>
        <source>Rename this folder</source>
        <translation>Diesen Ordner umbenennen</translation>
    </message>
    <message>
        <source>Fold or unfold this folder</source>
        <translation>Diesen Ordner auf- oder zuklappen</translation>
    </message>
    <message>
        <source>Move this folder up</source>
        <translation>Diesen Ordner nach oben</translation>
    </message>
    <message>
        <source>Move this folder down</source>
        <translation>Diesen Ordner nach unten</translation>
    </message>
    <message>
        <source>Delete this folder</source>
        <translation>Diesen Ordner löschen</translation>
    </message>
    <message>
        <source>Delete the folder</source>
        <translation>Ordner löschen</translation>
    </message>
    <message>
        <source>Quick ask</source>
        <translation>Schnelle Frage</translation>
    </message>
    <message>
        <source>Answer once more</source>
        <translation>Noch einmal antworten</translation>
    </message>
    <message>
        <source>Three answers side by side</source>
        <translation>Drei Antworten nebeneinander</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>Antwort fortsetzen</translation>
    </message>
    <message>
        <source>Edit the last question</source>
        <translation>Letzte Frage bearbeiten</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>Letzte Antwort kopieren</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>Modelle vergleichen…</translation>
    </message>
</context>
<context>
    <name>chat</name>
    <message>
        <source>The answer ends here because the model can read no further.</source>
        <translation>Die Antwort endet hier, weil das Modell nicht weiter lesen kann.</translation>
    </message>
    <message>
        <source>The model was unloaded before this answer was complete.</source>
        <translation>Das Modell wurde entladen, bevor diese Antwort vollständig war.</translation>
    </message>
</context>
<context>
    <name>compare</name>
    <message>
        <source>answers in the window now</source>
        <translation>antwortet jetzt im Fenster</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>auf diesem Computer</translation>
    </message>
    <message>
        <source>An answer is being written in this chat.</source>
        <translation>In diesem Chat wird gerade eine Antwort geschrieben.</translation>
    </message>
    <message>
        <source>Write a question first.</source>
        <translation>Zuerst eine Frage schreiben.</translation>
    </message>
    <message>
        <source>This chat is sent to {hosts}.</source>
        <translation>Dieser Chat wird an {hosts} gesendet.</translation>
    </message>
    <message>
        <source>Models that do not fit into memory together answer one after the other.</source>
        <translation>Modelle, die nicht zusammen in den Speicher passen, antworten nacheinander.</translation>
    </message>
</context>
<context>
    <name>composer</name>
    <message>
        <source>{name} is damaged and cannot be read.</source>
        <translation>{name} ist beschädigt und nicht lesbar.</translation>
    </message>
    <message>
        <source>{name} is empty.</source>
        <translation>{name} ist leer.</translation>
    </message>
    <message>
        <source>{name} took too long to read.</source>
        <translation>{name} zu lesen dauerte zu lange.</translation>
    </message>
    <message>
        <source>{name} has more than {most} pages. Attach a part of it.</source>
        <translation>{name} hat mehr als {most} Seiten. Besser einen Teil davon anhängen.</translation>
    </message>
    <message>
        <source>{name} has more than {most} characters of text. Attach a part of it.</source>
        <translation>{name} hat mehr als {most} Zeichen Text. Besser einen Teil davon anhängen.</translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation>{name} lässt sich nicht öffnen: {reason}.</translation>
    </message>
    <message>
        <source>{name} cannot be read.</source>
        <translation>{name} ist nicht lesbar.</translation>
    </message>
    <message>
        <source>Pictures cannot be attached: the model reads text.</source>
        <translation>Bilder lassen sich nicht anhängen: Das Modell liest Text.</translation>
    </message>
    <message>
        <source>A file is still being read</source>
        <translation>Eine Datei wird noch gelesen</translation>
    </message>
    <message>
        <source>{name} is not a text, PDF or Word file, so it cannot be attached.</source>
        <translation>{name} ist keine Text-, PDF- oder Word-Datei und kann nicht angehängt werden.</translation>
    </message>
    <message>
        <source>{name} is protected by a password. Save it without a password, then attach it.</source>
        <translation>{name} ist durch ein Passwort geschützt. Ohne Passwort speichern, dann anhängen.</translation>
    </message>
    <message>
        <source>{name} contains no text. A scan needs text recognition (OCR) first.</source>
        <translation>{name} enthält keinen Text. Ein Scan braucht zuerst eine Texterkennung (OCR).</translation>
    </message>
    <message>
        <source>{name} is larger than {most}. Attach a part of it.</source>
        <translation>{name} ist größer als {most}. Besser einen Teil davon anhängen.</translation>
    </message>
    <message>
        <source>Checking whether it fits…</source>
        <translation>Es wird geprüft, ob die Nachricht passt…</translation>
    </message>
    <message>
        <source>Your message in “{title}” was not sent: it does not fit. It is kept there as a draft.</source>
        <translation>Die Nachricht in „{title}“ wurde nicht gesendet: Sie passt nicht. Sie bleibt dort als Entwurf.</translation>
    </message>
    <message>
        <source>The oldest turns of “{title}” are summarised, and your message was sent.</source>
        <translation>Die ältesten Runden von „{title}“ sind zusammengefasst, und die Nachricht ist gesendet.</translation>
    </message>
    <message>
        <source>The model wrote no summary. Nothing was sent; try again, or leave the turns out.</source>
        <translation>Das Modell schrieb keine Zusammenfassung. Nichts wurde gesendet; noch einmal versuchen oder die Runden auslassen.</translation>
    </message>
    <message>
        <source>about {count}</source>
        <translation>etwa {count}</translation>
    </message>
    <message>
        <source>This message is too long for the model</source>
        <translation>Diese Nachricht ist zu lang für das Modell</translation>
    </message>
    <message>
        <source>Your next message does not fit</source>
        <translation>Die nächste Nachricht passt nicht mehr</translation>
    </message>
    <message>
        <source>It takes {n_prompt} tokens, the model reads {n_ctx}. Shorten it, or attach less.</source>
        <translation>Sie braucht {n_prompt} Tokens, das Modell liest {n_ctx}. Kürzen oder weniger anhängen.</translation>
    </message>
    <message>
        <source>Everyday</source>
        <translation>Alltag</translation>
    </message>
    <message>
        <source>Precise</source>
        <translation>Genau</translation>
    </message>
    <message>
        <source>Creative</source>
        <translation>Kreativ</translation>
    </message>
    <message>
        <source>Own settings</source>
        <translation>Eigene Einstellungen</translation>
    </message>
    <message>
        <source>A preset needs a name.</source>
        <translation>Eine Vorgabe braucht einen Namen.</translation>
    </message>
    <message>
        <source>A name has at most {n} characters.</source>
        <translation>Ein Name hat höchstens {n} Zeichen.</translation>
    </message>
    <message>
        <source>There is a preset of that name already.</source>
        <translation>Eine Vorgabe dieses Namens gibt es schon.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatur</translation>
    </message>
    <message>
        <source>Low is predictable, high is varied</source>
        <translation>Niedrig ist vorhersehbar, hoch ist abwechslungsreich</translation>
    </message>
    <message>
        <source>Top P</source>
        <translation>Top P</translation>
    </message>
    <message>
        <source>Only the most likely tokens up to this total probability</source>
        <translation>Nur die wahrscheinlichsten Tokens bis zu dieser Gesamtwahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Top K</source>
        <translation>Top K</translation>
    </message>
    <message>
        <source>Only this many of the most likely tokens; 0 for all</source>
        <translation>Nur so viele der wahrscheinlichsten Tokens; 0 für alle</translation>
    </message>
    <message>
        <source>Min P</source>
        <translation>Min P</translation>
    </message>
    <message>
        <source>Only tokens at least this likely, relative to the most likely one</source>
        <translation>Nur Tokens mit mindestens dieser Wahrscheinlichkeit im Verhältnis zum wahrscheinlichsten</translation>
    </message>
    <message>
        <source>Repeat penalty</source>
        <translation>Wiederholungsstrafe</translation>
    </message>
    <message>
        <source>Above 1 discourages repetition</source>
        <translation>Über 1 vermeidet Wiederholungen</translation>
    </message>
    <message>
        <source>Maximum tokens per answer</source>
        <translation>Höchstzahl an Tokens je Antwort</translation>
    </message>
    <message>
        <source>Longer answers are cut off here</source>
        <translation>Längere Antworten werden hier abgeschnitten</translation>
    </message>
    <message>
        <source>random</source>
        <translation>zufällig</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>The same number gives the same answer</source>
        <translation>Dieselbe Zahl gibt dieselbe Antwort</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>A whole number from {lowest} to {highest}.</source>
        <translation>Eine ganze Zahl von {lowest} bis {highest}.</translation>
    </message>
    <message>
        <source>A number from {lowest} to {highest}.</source>
        <translation>Eine Zahl von {lowest} bis {highest}.</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Dateien anhängen</translation>
    </message>
    <message>
        <source>Settings of this chat…</source>
        <translation>Einstellungen dieses Chats…</translation>
    </message>
    <message>
        <source>The preset “{name}” is deleted.</source>
        <translation>Die Vorgabe „{name}“ ist gelöscht.</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>Neuer Chat</translation>
    </message>
    <message>
        <source>Open the chat</source>
        <translation>Chat öffnen</translation>
    </message>
</context>
<context>
    <name>connections</name>
    <message>
        <source>{model} (this computer)</source>
        <translation>{model} (dieser Computer)</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Modelle suchen</translation>
    </message>
    <message>
        <source>{model} ({host})</source>
        <translation>{model} ({host})</translation>
    </message>
    <message>
        <source>{n} more on {host}</source>
        <translation>{n} weitere auf {host}</translation>
    </message>
    <message>
        <source>Connecting to {host}…</source>
        <translation>Verbindung zu {host} wird aufgebaut …</translation>
    </message>
    <message>
        <source>{host} cannot be used now</source>
        <translation>{host} ist zurzeit nicht verwendbar</translation>
    </message>
    <message>
        <source>Any program</source>
        <translation>Beliebiges Programm</translation>
    </message>
    <message>
        <source>Other</source>
        <translation>Anderes</translation>
    </message>
    <message>
        <source>Runs on this computer. Nothing leaves it.</source>
        <translation>Läuft auf diesem Computer. Nichts verlässt ihn.</translation>
    </message>
    <message>
        <source>Runs on {host}. What you write is sent there.</source>
        <translation>Läuft auf {host}. Was hier geschrieben wird, wird dorthin gesendet.</translation>
    </message>
    <message>
        <source>Runs on this computer, in another program.</source>
        <translation>Läuft auf diesem Computer, in einem anderen Programm.</translation>
    </message>
    <message>
        <source>Runs on this computer, in {program}.</source>
        <translation>Läuft auf diesem Computer, in {program}.</translation>
    </message>
    <message>
        <source>Connecting to {host}. You can already write; the model answers when it can.</source>
        <translation>Verbindung zu {host} wird aufgebaut. Schreiben geht schon jetzt; das Modell antwortet, sobald es kann.</translation>
    </message>
    <message>
        <source>The model on {host} is not available now.</source>
        <translation>Das Modell auf {host} ist zurzeit nicht verfügbar.</translation>
    </message>
    <message>
        <source>A model in another program on this computer answers here.</source>
        <translation>Hier antwortet ein Modell in einem anderen Programm auf diesem Computer.</translation>
    </message>
    <message>
        <source>A model on {host} answers here. What you write is sent there.</source>
        <translation>Hier antwortet ein Modell auf {host}. Was hier geschrieben wird, wird dorthin gesendet.</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Verbindung wird aufgebaut …</translation>
    </message>
    <message>
        <source>Not asked yet</source>
        <translation>Noch nicht angefragt</translation>
    </message>
    <message>
        <source>{n} ms</source>
        <translation>{n} ms</translation>
    </message>
    <message>
        <source>models: {n}</source>
        <translation>Modelle: {n}</translation>
    </message>
    <message>
        <source>{n} tokens</source>
        <translation>{n} Tokens</translation>
    </message>
    <message>
        <source>and {n} more</source>
        <translation>und {n} weitere</translation>
    </message>
    <message>
        <source>The server has no model.</source>
        <translation>Der Server hat kein Modell.</translation>
    </message>
    <message>
        <source>key in the system&apos;s keyring</source>
        <translation>Schlüssel im Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>key in a private file, because no keyring works here</source>
        <translation>Schlüssel in einer privaten Datei, weil hier kein Schlüsselbund funktioniert</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Use the local model</source>
        <translation>Lokales Modell verwenden</translation>
    </message>
</context>
<context>
    <name>endpoint</name>
    <message>
        <source>chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>completions</source>
        <translation>Ergänzungen</translation>
    </message>
    <message>
        <source>messages</source>
        <translation>Nachrichten</translation>
    </message>
    <message>
        <source>responses</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>waiting · place {place}</source>
        <translation>wartet · Platz {place}</translation>
    </message>
    <message>
        <source>reading · {percent} %</source>
        <translation>liest · {percent} %</translation>
    </message>
    <message>
        <source>preparing</source>
        <translation>wird vorbereitet</translation>
    </message>
    <message>
        <source>{cached} / {all} cached</source>
        <translation>{cached} / {all} im Cache</translation>
    </message>
    <message>
        <source>{prompt} prompt tokens, {cached} of them cached; {output} output tokens</source>
        <translation>{prompt} Prompt-Tokens, davon {cached} im Cache; {output} Ausgabe-Tokens</translation>
    </message>
    <message>
        <source>The text of this request was not kept. Turn on “Keep request texts” and send the request again.</source>
        <translation>Der Text dieser Anfrage wurde nicht behalten. „Anfragetexte behalten“ einschalten und die Anfrage noch einmal senden.</translation>
    </message>
    <message>
        <source>This request cannot be opened as a chat: it has no conversation, or it was too long to keep.</source>
        <translation>Diese Anfrage lässt sich nicht als Chat öffnen: Sie enthält kein Gespräch oder war zu lang, um behalten zu werden.</translation>
    </message>
    <message>
        <source>The name of a key must have 1 to 64 characters.</source>
        <translation>Der Name eines Schlüssels muss 1 bis 64 Zeichen haben.</translation>
    </message>
    <message>
        <source>answering · {n}</source>
        <translation>antwortet · {n}</translation>
    </message>
    <message>
        <source>embedding</source>
        <translation>bettet ein</translation>
    </message>
    <message>
        <source>done · {n}</source>
        <translation>fertig · {n}</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>gestoppt</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>misslungen</translation>
    </message>
    <message>
        <source>{speed} tok/s</source>
        <translation>{speed} Tok/s</translation>
    </message>
    <message>
        <source>prompt {prompt}</source>
        <translation>Prompt {prompt}</translation>
    </message>
    <message>
        <source>From {client}, with the key “{key}”</source>
        <translation>Von {client}, mit dem Schlüssel „{key}“</translation>
    </message>
    <message>
        <source>in use now</source>
        <translation>wird gerade benutzt</translation>
    </message>
    <message>
        <source>not used since the start</source>
        <translation>seit dem Start nicht benutzt</translation>
    </message>
    <message>
        <source>{name} (tool)</source>
        <translation>{name} (Programm)</translation>
    </message>
    <message>
        <source>“{title}”</source>
        <translation>„{title}“</translation>
    </message>
    <message>
        <source>{size} in host memory</source>
        <translation>{size} im Arbeitsspeicher</translation>
    </message>
    <message>
        <source>There is a key named “{name}” already.</source>
        <translation>Einen Schlüssel namens „{name}“ gibt es schon.</translation>
    </message>
</context>
<context>
    <name>errors</name>
    <message>
        <source>This chat has {n_prompt} tokens, the model reads {n_ctx}. Start a new chat to continue.</source>
        <translation>Dieser Chat hat {n_prompt} Tokens, das Modell liest {n_ctx}. In einem neuen Chat geht es weiter.</translation>
    </message>
    <message>
        <source>The model&apos;s chat template rejects these messages: {reason}</source>
        <translation>Die Vorlage des Modells lehnt diese Nachrichten ab: {reason}</translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation>{name} lässt sich nicht öffnen: {reason}.</translation>
    </message>
    <message>
        <source>The model needs {needed} of memory, {available} are free. Close something first.</source>
        <translation>Das Modell braucht {needed} Speicher, {available} sind frei. Zuerst etwas anderes schließen.</translation>
    </message>
    <message>
        <source>The model cannot be loaded with these settings: {field}: {reason}.</source>
        <translation>So lässt sich das Modell nicht laden: {field}: {reason}.</translation>
    </message>
    <message>
        <source>The model is loaded without its draft model: {reason}.</source>
        <translation>Das Modell ist ohne sein Entwurfsmodell geladen: {reason}.</translation>
    </message>
    <message>
        <source>The model is loaded without its draft model. {error}</source>
        <translation>Das Modell ist ohne sein Entwurfsmodell geladen. {error}</translation>
    </message>
    <message>
        <source>The model&apos;s server does not support this: {feature}.</source>
        <translation>Der Server des Modells unterstützt dies nicht: {feature}.</translation>
    </message>
    <message>
        <source>The model is loaded without the adapter {name}: {reason}.</source>
        <translation>Das Modell ist ohne den Adapter {name} geladen: {reason}.</translation>
    </message>
    <message>
        <source>No model is loaded. Choose a model file, then try again.</source>
        <translation>Kein Modell ist geladen. Eine Modelldatei wählen, dann noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The graphics card stopped responding. Load the model again to continue, or load it on the processor; no text is lost.</source>
        <translation>Die Grafikkarte antwortet nicht mehr. Zum Fortfahren das Modell erneut laden, oder auf den Prozessor laden; es geht kein Text verloren.</translation>
    </message>
    <message>
        <source>The model stopped working. Load it again to continue; no text is lost.</source>
        <translation>Das Modell arbeitet nicht mehr. Nach neuem Laden geht es weiter; nichts Geschriebenes ist verloren.</translation>
    </message>
    <message>
        <source>Loading the model was cancelled.</source>
        <translation>Das Laden des Modells wurde abgebrochen.</translation>
    </message>
    <message>
        <source>Inglenook is closing.</source>
        <translation>Inglenook schließt gerade.</translation>
    </message>
    <message>
        <source>{host} cannot be reached: {reason}.</source>
        <translation>{host} ist nicht erreichbar: {reason}.</translation>
    </message>
    <message>
        <source>{host} refused the key, or requires one. Check the key of this connection.</source>
        <translation>{host} hat den Schlüssel abgelehnt oder verlangt einen. Der Schlüssel dieser Verbindung ist zu prüfen.</translation>
    </message>
    <message>
        <source>{host} is busy: {reason}. Try again in a moment.</source>
        <translation>{host} ist ausgelastet: {reason}. Gleich noch einmal versuchen.</translation>
    </message>
    <message>
        <source>{host} answered with an error: {reason}</source>
        <translation>{host} hat mit einem Fehler geantwortet: {reason}</translation>
    </message>
    <message>
        <source>The disk is full: new messages are not saved. They stay here until Inglenook closes.</source>
        <translation>Der Datenträger ist voll: Neue Nachrichten werden nicht gespeichert. Sie bleiben hier, bis Inglenook schließt.</translation>
    </message>
    <message>
        <source>The file of your chats is damaged. Restart Inglenook to create a new one.</source>
        <translation>Die Datei der Chats ist beschädigt. Nach einem Neustart von Inglenook beginnt eine neue.</translation>
    </message>
    <message>
        <source>Your chats were written by a newer Inglenook. This version does not change them and saves no chats.</source>
        <translation>Die Chats stammen von einem neueren Inglenook. Diese Version lässt sie unberührt und speichert keine.</translation>
    </message>
    <message>
        <source>{name} contains no chats that Inglenook can read.</source>
        <translation>{name} enthält keine Chats, die Inglenook lesen kann.</translation>
    </message>
    <message>
        <source>{name} could not be read or written completely: {reason}.</source>
        <translation>{name} ließ sich nicht zu Ende lesen oder schreiben: {reason}.</translation>
    </message>
    <message>
        <source>Port {port} is used by another program.</source>
        <translation>Port {port} ist von einem anderen Programm belegt.</translation>
    </message>
    <message>
        <source>Something was not saved, because it contains an invalid value.</source>
        <translation>Etwas wurde nicht gespeichert, weil ein Wert darin ungültig ist.</translation>
    </message>
    <message>
        <source>The settings file was damaged. It is kept as {name}; the default settings are used.</source>
        <translation>Die Datei der Einstellungen war beschädigt. Sie liegt jetzt als {name} bereit; die Einstellungen sind wie am Anfang.</translation>
    </message>
    <message>
        <source>Your settings cannot be read: {reason}. The file is not changed; changes of settings are not saved.</source>
        <translation>Die Einstellungen lassen sich nicht lesen: {reason}. Die Datei bleibt, wie sie ist; Änderungen werden nicht gespeichert.</translation>
    </message>
    <message>
        <source>Chats are not saved: {reason}.</source>
        <translation>Chats werden nicht gespeichert: {reason}.</translation>
    </message>
    <message>
        <source>Something went wrong: {error}</source>
        <translation>Etwas ging schief: {error}</translation>
    </message>
    <message>
        <source>The file of your chats was damaged. It is kept as {name}; a new one was created.</source>
        <translation>Die Datei der Chats war beschädigt. Sie heißt jetzt {name}; eine neue ist begonnen.</translation>
    </message>
</context>
<context>
    <name>import_export</name>
    <message>
        <source>“{name}”</source>
        <translation>„{name}“</translation>
    </message>
    <message>
        <source>{names} and others</source>
        <translation>{names} und weitere</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Ich</translation>
    </message>
    <message>
        <source>Inglenook</source>
        <translation>Inglenook</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>Anweisungen</translation>
    </message>
    <message>
        <source>it is too large</source>
        <translation>sie ist zu groß</translation>
    </message>
    <message>
        <source>it was written by a newer Inglenook</source>
        <translation>ein neueres Inglenook hat sie geschrieben</translation>
    </message>
    <message>
        <source>its chats are damaged</source>
        <translation>die Chats darin sind beschädigt</translation>
    </message>
    <message>
        <source>it is damaged, or asks for a password</source>
        <translation>sie ist beschädigt oder verlangt ein Passwort</translation>
    </message>
    <message>
        <source>it holds no chats that this Inglenook knows</source>
        <translation>sie enthält keine Chats, die dieses Inglenook kennt</translation>
    </message>
    <message>
        <source>the process that reads it ended</source>
        <translation>der Prozess, der sie liest, wurde beendet</translation>
    </message>
</context>
<context>
    <name>launch</name>
    <message>
        <source>The backup is restored. What was here before is kept in {folder}.</source>
        <translation>Die Sicherung ist zurückgeholt. Was vorher hier war, liegt in {folder}.</translation>
    </message>
    <message>
        <source>Inglenook is already open.</source>
        <translation>Inglenook ist schon offen.</translation>
    </message>
    <message>
        <source>Its window may be minimised, or on another desktop.</source>
        <translation>Das Fenster ist vielleicht minimiert oder auf einer anderen Arbeitsfläche.</translation>
    </message>
    <message>
        <source>Inglenook is starting or closing already. Waiting for it…</source>
        <translation>Inglenook startet oder schließt gerade schon. Warten …</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>The backup could not be restored.</source>
        <translation>Die Sicherung konnte nicht wiederhergestellt werden.</translation>
    </message>
    <message>
        <source>{reason}. It is tried again at the next start; until then everything stays as it is.</source>
        <translation>{reason}. Beim nächsten Start wird es erneut versucht; bis dahin bleibt alles, wie es ist.</translation>
    </message>
    <message>
        <source>Inglenook cannot write to the folder of your chats and settings.</source>
        <translation>Inglenook kann in den Ordner der Chats und Einstellungen nicht schreiben.</translation>
    </message>
    <message>
        <source>{folder}: {reason}.

Choose another folder, which is used until Inglenook is closed. To use it always, start Inglenook with --profile and that folder.</source>
        <translation>{folder}: {reason}.

Einen anderen Ordner wählen; er gilt, bis Inglenook geschlossen wird. Um ihn immer zu verwenden, Inglenook mit --profile und diesem Ordner starten.</translation>
    </message>
    <message>
        <source>Choose another folder…</source>
        <translation>Anderen Ordner wählen …</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>A folder for chats and settings</source>
        <translation>Ein Ordner für Chats und Einstellungen</translation>
    </message>
</context>
<context>
    <name>models</name>
    <message>
        <source>uses the memory of the computer</source>
        <translation>nutzt den Arbeitsspeicher des Computers</translation>
    </message>
    <message>
        <source>{total} of memory, {free} free</source>
        <translation>{total} Speicher, {free} frei</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>wird benutzt</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>bereit</translation>
    </message>
    <message>
        <source>{name}: {facts}</source>
        <translation>{name}: {facts}</translation>
    </message>
    <message>
        <source>The graphics card cannot be used with {library}: {reason}.</source>
        <translation>Die Grafikkarte kann mit {library} nicht benutzt werden: {reason}.</translation>
    </message>
    <message>
        <source>The graphics card could not be prepared: {reason}.</source>
        <translation>Die Grafikkarte konnte nicht vorbereitet werden: {reason}.</translation>
    </message>
    <message>
        <source>Preparing the graphics card… {percent} %</source>
        <translation>Die Grafikkarte wird vorbereitet … {percent} %</translation>
    </message>
    <message>
        <source>The graphics card is ready: load the model again to use it.</source>
        <translation>Die Grafikkarte ist bereit: Beim nächsten Laden des Modells wird sie benutzt.</translation>
    </message>
    <message>
        <source>{n} B parameters</source>
        <translation>{n} Mrd. Parameter</translation>
    </message>
    <message>
        <source>{n} M parameters</source>
        <translation>{n} Mio. Parameter</translation>
    </message>
    <message>
        <source>Models on this computer, and models that run well on it.</source>
        <translation>Modelle auf diesem Computer und Modelle, die gut auf ihm laufen.</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>Adapter</translation>
    </message>
    <message>
        <source>Unusable</source>
        <translation>Unbrauchbar</translation>
    </message>
    <message>
        <source>Fits</source>
        <translation>Passt</translation>
    </message>
    <message>
        <source>Slow</source>
        <translation>Langsam</translation>
    </message>
    <message>
        <source>Tight</source>
        <translation>Knapp</translation>
    </message>
    <message>
        <source>Too big</source>
        <translation>Zu groß</translation>
    </message>
    <message>
        <source>needs {size}</source>
        <translation>braucht {size}</translation>
    </message>
    <message>
        <source>≈ {speed} tok/s</source>
        <translation>≈ {speed} Tok/s</translation>
    </message>
    <message>
        <source>included with Inglenook</source>
        <translation>in Inglenook enthalten</translation>
    </message>
    <message>
        <source>with {adapters}</source>
        <translation>mit {adapters}</translation>
    </message>
    <message>
        <source>thinks</source>
        <translation>denkt nach</translation>
    </message>
    <message>
        <source>calls tools</source>
        <translation>ruft Werkzeuge auf</translation>
    </message>
    <message>
        <source>reasoning</source>
        <translation>Schlussfolgern</translation>
    </message>
    <message>
        <source>embeddings, no chat</source>
        <translation>Embeddings, kein Chat</translation>
    </message>
    <message>
        <source>suits this computer best</source>
        <translation>passt am besten zu diesem Computer</translation>
    </message>
    <message>
        <source>about {size}</source>
        <translation>etwa {size}</translation>
    </message>
    <message>
        <source>Downloaded</source>
        <translation>Heruntergeladen</translation>
    </message>
    <message>
        <source>Terms apply</source>
        <translation>Zustimmung nötig</translation>
    </message>
    <message>
        <source>This LoRA adapter can be added in the settings of a model that it fits.</source>
        <translation>Dieser LoRA-Adapter lässt sich in den Einstellungen eines passenden Modells hinzufügen.</translation>
    </message>
    <message>
        <source>The file cannot be used: {reason}.</source>
        <translation>Die Datei ist nicht verwendbar: {reason}.</translation>
    </message>
    <message>
        <source>The model can see pictures, but Inglenook gives it text only.</source>
        <translation>Das Modell kann Bilder sehen, bekommt von Inglenook aber nur Text.</translation>
    </message>
    <message>
        <source>{name} cannot be added: {reason}.</source>
        <translation>{name} kann nicht hinzugefügt werden: {reason}.</translation>
    </message>
    <message>
        <source>Context length: {n} tokens.</source>
        <translation>Kontext: {n} Tokens.</translation>
    </message>
    <message>
        <source>Context length: {n} tokens; up to {best} would fit.</source>
        <translation>Kontext: {n} Tokens; bis zu {best} würden passen.</translation>
    </message>
    <message>
        <source>It writes more slowly than people read.</source>
        <translation>Es schreibt langsamer, als Menschen lesen.</translation>
    </message>
    <message>
        <source>Only a context of {n} tokens fits.</source>
        <translation>Nur ein Kontext von {n} Tokens passt.</translation>
    </message>
    <message>
        <source>Little memory is left for other programs.</source>
        <translation>Für andere Programme bleibt wenig Speicher.</translation>
    </message>
    <message>
        <source>Requesting the file list from Hugging Face…</source>
        <translation>Dateiliste wird von Hugging Face abgerufen…</translation>
    </message>
    <message>
        <source>Waiting for the previous download</source>
        <translation>Wartet auf den vorigen Download</translation>
    </message>
    <message>
        <source>Verifying the file…</source>
        <translation>Datei wird geprüft…</translation>
    </message>
    <message>
        <source>Hugging Face cannot be reached. Models on this computer still work.</source>
        <translation>Hugging Face ist nicht erreichbar. Modelle auf diesem Computer funktionieren weiterhin.</translation>
    </message>
    <message>
        <source>Accept the publisher&apos;s terms on huggingface.co and download the file there, then open it here.</source>
        <translation>Die Bedingungen des Herausgebers sind auf huggingface.co anzunehmen. Dort die Datei herunterladen und hier öffnen.</translation>
    </message>
    <message>
        <source>The model is no longer on Hugging Face.</source>
        <translation>Das Modell ist nicht mehr auf Hugging Face.</translation>
    </message>
    <message>
        <source>Hugging Face refused the download ({status}).</source>
        <translation>Hugging Face hat den Download abgelehnt ({status}).</translation>
    </message>
    <message>
        <source>The repository has no file with a checksum for verification.</source>
        <translation>Das Repository enthält keine Datei mit einer Prüfsumme.</translation>
    </message>
    <message>
        <source>The downloaded file does not match its checksum. It was deleted; try again.</source>
        <translation>Die heruntergeladene Datei passt nicht zu ihrer Prüfsumme. Sie wurde gelöscht; bitte noch einmal versuchen.</translation>
    </message>
    <message>
        <source>The file cannot be written to the disk: {reason}.</source>
        <translation>Die Datei lässt sich nicht auf den Datenträger schreiben: {reason}.</translation>
    </message>
    <message>
        <source>The model&apos;s MTP layers draft where a text does not repeat itself.</source>
        <translation>Wo ein Text sich nicht wiederholt, entwerfen die MTP-Schichten des Modells.</translation>
    </message>
    <message>
        <source>The model&apos;s MTP layers are not used: {reason}.</source>
        <translation>Die MTP-Schichten des Modells werden nicht benutzt: {reason}.</translation>
    </message>
    <message>
        <source>Weights {weights}, KV cache {chats}, compute buffers {other}, draft model {draft}.</source>
        <translation>Gewichte {weights}, KV-Cache {chats}, Rechenpuffer {other}, Entwurfsmodell {draft}.</translation>
    </message>
    <message>
        <source>Weights {weights}, KV cache {chats}, compute buffers {other}.</source>
        <translation>Gewichte {weights}, KV-Cache {chats}, Rechenpuffer {other}.</translation>
    </message>
    <message>
        <source>{model} on {host}</source>
        <translation>{model} auf {host}</translation>
    </message>
    <message>
        <source>Connecting to {host}…</source>
        <translation>Verbindung zu {host} wird aufgebaut …</translation>
    </message>
    <message>
        <source>{model}: not available</source>
        <translation>{model}: nicht verfügbar</translation>
    </message>
    <message>
        <source>The model stopped</source>
        <translation>Das Modell steht</translation>
    </message>
    <message>
        <source>No model</source>
        <translation>Kein Modell</translation>
    </message>
    <message>
        <source>{size} on disk</source>
        <translation>{size} auf dem Datenträger</translation>
    </message>
    <message>
        <source>Context length: {n_ctx} tokens</source>
        <translation>Kontext: {n_ctx} Tokens</translation>
    </message>
    <message>
        <source>Adapter {name}, scale {scale}</source>
        <translation>Adapter {name}, Faktor {scale}</translation>
    </message>
    <message>
        <source>{n} adapters</source>
        <translation>{n} Adapter</translation>
    </message>
    <message>
        <source>{n} downloads</source>
        <translation>{n} Downloads</translation>
    </message>
    <message>
        <source>quick answers</source>
        <translation>schnelle Antworten</translation>
    </message>
    <message>
        <source>everyday questions</source>
        <translation>Alltagsfragen</translation>
    </message>
    <message>
        <source>many languages</source>
        <translation>viele Sprachen</translation>
    </message>
    <message>
        <source>code</source>
        <translation>Code</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>In Gebrauch</translation>
    </message>
    <message>
        <source>Loading · {percent} %</source>
        <translation>Lädt · {percent} %</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>Laden</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Needs about {size} on {cards} and {needed} of memory; {free} of memory are free.</source>
        <translation>Braucht etwa {size} auf {cards} und {needed} Arbeitsspeicher; {free} Arbeitsspeicher sind frei.</translation>
    </message>
    <message>
        <source>Needs about {needed} of memory, {free} are free.</source>
        <translation>Braucht etwa {needed} Speicher, {free} sind frei.</translation>
    </message>
    <message>
        <source>The context is too long: {best} tokens would fit.</source>
        <translation>Der Kontext ist zu lang: {best} Tokens würden passen.</translation>
    </message>
    <message>
        <source>A smaller quantisation may fit.</source>
        <translation>Eine kleinere Quantisierung passt vielleicht.</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Voll</translation>
    </message>
    <message>
        <source>Half</source>
        <translation>Halb</translation>
    </message>
    <message>
        <source>Quarter</source>
        <translation>Viertel</translation>
    </message>
    <message>
        <source>{done} of {all}</source>
        <translation>{done} von {all}</translation>
    </message>
    <message>
        <source>{size}/s</source>
        <translation>{size}/s</translation>
    </message>
    <message>
        <source>Paused · {done}</source>
        <translation>Angehalten · {done}</translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>noch weniger als eine Minute</translation>
    </message>
    <message>
        <source>{n} min left</source>
        <translation>noch {n} min</translation>
    </message>
    <message>
        <source>{n} h left</source>
        <translation>noch {n} h</translation>
    </message>
    <message>
        <source>The proxy {proxy} in the system&apos;s settings cannot be used.</source>
        <translation>Der Proxy {proxy} aus den Systemeinstellungen kann nicht verwendet werden.</translation>
    </message>
    <message>
        <source>The disk is too full: {needed} are needed, {free} are free.</source>
        <translation>Der Datenträger ist zu voll: {needed} sind nötig, {free} sind frei.</translation>
    </message>
    <message>
        <source>Something went wrong: {error}</source>
        <translation>Etwas ging schief: {error}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>Entladen</translation>
    </message>
    <message>
        <source>{name} suits this computer best</source>
        <translation>{name} passt am besten zu diesem Computer</translation>
    </message>
    <message>
        <source>Download of {name}</source>
        <translation>Download von {name}</translation>
    </message>
    <message>
        <source>{name} was downloaded</source>
        <translation>{name} wurde heruntergeladen</translation>
    </message>
    <message>
        <source>It is on this computer now, and answers without a network.</source>
        <translation>Es ist jetzt auf diesem Computer und antwortet ohne Netz.</translation>
    </message>
    <message>
        <source>Loading it replaces the included model in memory. Your chats are not affected.</source>
        <translation>Beim Laden ersetzt es das mitgelieferte Modell im Speicher. Die Chats bleiben unverändert.</translation>
    </message>
    <message>
        <source>There is no model yet. This one is downloaded once, then it answers offline.</source>
        <translation>Es gibt noch kein Modell. Dieses wird einmal heruntergeladen und antwortet dann ohne Netz.</translation>
    </message>
    <message>
        <source>Needs about {needed} of memory and generates {speed} here.</source>
        <translation>Braucht etwa {needed} Speicher und schreibt hier {speed}.</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Jetzt nicht</translation>
    </message>
    <message>
        <source>Show the models</source>
        <translation>Modelle anzeigen</translation>
    </message>
    <message>
        <source>It is much more capable than the included model, which goes on answering meanwhile.</source>
        <translation>Es kann viel mehr als das mitgelieferte Modell, das währenddessen weiter antwortet.</translation>
    </message>
    <message>
        <source>Source: huggingface.co/{repo}. Licence: {licence}.</source>
        <translation>Quelle: huggingface.co/{repo}. Lizenz: {licence}.</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal</translation>
    </message>
    <message>
        <source>Download ({size})</source>
        <translation>Herunterladen ({size})</translation>
    </message>
    <message>
        <source>Load it</source>
        <translation>Laden</translation>
    </message>
    <message>
        <source>Continue download</source>
        <translation>Download fortsetzen</translation>
    </message>
    <message>
        <source>on the processor</source>
        <translation>auf dem Prozessor</translation>
    </message>
    <message>
        <source>experts on the processor</source>
        <translation>Experten auf dem Prozessor</translation>
    </message>
    <message>
        <source>on the card</source>
        <translation>auf der Karte</translation>
    </message>
    <message>
        <source>partly on the card</source>
        <translation>teilweise auf der Karte</translation>
    </message>
    <message>
        <source>partly on the cards</source>
        <translation>teilweise auf den Karten</translation>
    </message>
    <message>
        <source>{n} of {all} layers on the cards</source>
        <translation>{n} von {all} Schichten auf den Karten</translation>
    </message>
    <message>
        <source>{n} of {all} layers on the card</source>
        <translation>{n} von {all} Schichten auf der Karte</translation>
    </message>
    <message>
        <source>The processor computes the model.</source>
        <translation>Der Prozessor berechnet das Modell.</translation>
    </message>
    <message>
        <source>All layers are on {cards}.</source>
        <translation>Alle Schichten sind auf {cards}.</translation>
    </message>
    <message>
        <source>{n} of {all} layers are on {cards}; the processor computes the others.</source>
        <translation>{n} von {all} Schichten sind auf {cards}; die übrigen berechnet der Prozessor.</translation>
    </message>
    <message>
        <source>All layers are on {cards}; the processor computes the experts of {experts} of them.</source>
        <translation>Alle Schichten sind auf {cards}; die Experten von {experts} davon berechnet der Prozessor.</translation>
    </message>
    <message>
        <source>{n} of {all} layers are on {cards}; the processor computes the others and the experts of {experts} layers.</source>
        <translation>{n} von {all} Schichten sind auf {cards}; die übrigen und die Experten von {experts} Schichten berechnet der Prozessor.</translation>
    </message>
    <message>
        <source>the cards</source>
        <translation>den Karten</translation>
    </message>
    <message>
        <source>the card</source>
        <translation>der Karte</translation>
    </message>
    <message>
        <source>The card could not be used: the processor computes the model.</source>
        <translation>Die Karte konnte nicht verwendet werden: Der Prozessor berechnet das Modell.</translation>
    </message>
    <message>
        <source>The card had too little memory: {n} instead of {wanted} layers are on it.</source>
        <translation>Die Karte hatte zu wenig Speicher: {n} statt {wanted} Schichten sind auf ihr.</translation>
    </message>
</context>
<context>
    <name>notifications</name>
    <message>
        <source>An answer is ready</source>
        <translation>Eine Antwort ist fertig</translation>
    </message>
    <message>
        <source>An answer could not be finished</source>
        <translation>Eine Antwort konnte nicht zu Ende geschrieben werden</translation>
    </message>
</context>
<context>
    <name>numbers</name>
    <message>
        <source>{size}&#xa0;GB</source>
        <translation>{size}&#xa0;GB</translation>
    </message>
    <message>
        <source>{size}&#xa0;MB</source>
        <translation>{size}&#xa0;MB</translation>
    </message>
    <message>
        <source>{n} M</source>
        <translation>{n} Mio.</translation>
    </message>
    <message>
        <source>{n} k</source>
        <translation>{n} Tsd.</translation>
    </message>
</context>
<context>
    <name>pages</name>
    <message>
        <source>Chat</source>
        <translation>Chat</translation>
    </message>
    <message>
        <source>Endpoint</source>
        <translation>Endpunkt</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
</context>
<context>
    <name>reasons</name>
    <message>
        <source>there is no such file</source>
        <translation>die Datei gibt es nicht</translation>
    </message>
    <message>
        <source>this is a folder, not a file</source>
        <translation>das ist ein Ordner, keine Datei</translation>
    </message>
    <message>
        <source>the file cannot be read ({why})</source>
        <translation>die Datei ist nicht lesbar ({why})</translation>
    </message>
    <message>
        <source>its header is damaged</source>
        <translation>der Kopf der Datei ist beschädigt</translation>
    </message>
    <message>
        <source>its header is damaged: {key} is out of range</source>
        <translation>ihr Kopf ist beschädigt: {key} liegt außerhalb des Bereichs</translation>
    </message>
    <message>
        <source>{n} of its {all} parts are missing</source>
        <translation>{n} der {all} Teile fehlen</translation>
    </message>
    <message>
        <source>this model ranks texts, it does not embed them</source>
        <translation>dieses Modell ordnet Texte, es bettet sie nicht ein</translation>
    </message>
    <message>
        <source>its scale is not between -{largest} and {largest}</source>
        <translation>sein Faktor liegt nicht zwischen -{largest} und {largest}</translation>
    </message>
    <message>
        <source>it is not an adapter</source>
        <translation>es ist kein Adapter</translation>
    </message>
    <message>
        <source>it is of the kind {kind}, not lora</source>
        <translation>es ist von der Art {kind}, nicht lora</translation>
    </message>
    <message>
        <source>it is for {kind} models, the model is {model}</source>
        <translation>es ist für {kind}-Modelle, das Modell ist {model}</translation>
    </message>
    <message>
        <source>it changes {tensor}, which the model does not have</source>
        <translation>es ändert {tensor}, was das Modell nicht hat</translation>
    </message>
    <message>
        <source>its tensor {tensor} is not supported</source>
        <translation>sein Tensor {tensor} wird nicht unterstützt</translation>
    </message>
    <message>
        <source>one of the two tensors for {tensor} is missing</source>
        <translation>einer der zwei Tensoren für {tensor} fehlt</translation>
    </message>
    <message>
        <source>{tensor} has another shape in the model</source>
        <translation>{tensor} hat im Modell eine andere Form</translation>
    </message>
    <message>
        <source>it does not fit the model ({why})</source>
        <translation>es passt nicht zum Modell ({why})</translation>
    </message>
    <message>
        <source>llama.cpp cannot load it ({why})</source>
        <translation>llama.cpp kann es nicht laden ({why})</translation>
    </message>
    <message>
        <source>its vocabulary is damaged ({why})</source>
        <translation>das Vokabular ist beschädigt ({why})</translation>
    </message>
    <message>
        <source>llama.cpp cannot compute with it ({why})</source>
        <translation>llama.cpp kann nicht damit rechnen ({why})</translation>
    </message>
    <message>
        <source>its chat template takes too much memory or time ({why})</source>
        <translation>die Chat-Vorlage braucht zu viel Speicher oder Zeit ({why})</translation>
    </message>
    <message>
        <source>the trial took too long</source>
        <translation>die Probe dauerte zu lange</translation>
    </message>
    <message>
        <source>the trial took too much memory</source>
        <translation>die Probe brauchte zu viel Speicher</translation>
    </message>
    <message>
        <source>the trial ended with {code}</source>
        <translation>die Probe endete mit {code}</translation>
    </message>
    <message>
        <source>llama.cpp cannot compute with it</source>
        <translation>llama.cpp kann nicht damit rechnen</translation>
    </message>
    <message>
        <source>llama.cpp cannot load this file</source>
        <translation>llama.cpp kann diese Datei nicht laden</translation>
    </message>
    <message>
        <source>there is not enough memory for its context</source>
        <translation>der Speicher reicht nicht für den Kontext</translation>
    </message>
    <message>
        <source>{kind} needs flash attention</source>
        <translation>{kind} braucht Flash Attention</translation>
    </message>
    <message>
        <source>{value} is not between 0 and {largest}</source>
        <translation>{value} liegt nicht zwischen 0 und {largest}</translation>
    </message>
    <message>
        <source>the file is not a GGUF model</source>
        <translation>die Datei ist kein GGUF-Modell</translation>
    </message>
    <message>
        <source>its GGUF version {version} is not supported</source>
        <translation>die GGUF-Version {version} wird nicht unterstützt</translation>
    </message>
    <message>
        <source>the file is incomplete; download it again</source>
        <translation>die Datei ist unvollständig; bitte neu herunterladen</translation>
    </message>
    <message>
        <source>it is an adapter for {architecture} models</source>
        <translation>es ist ein Adapter für {architecture}-Modelle</translation>
    </message>
    <message>
        <source>it is the image encoder of another model</source>
        <translation>es ist der Bild-Encoder eines anderen Modells</translation>
    </message>
    <message>
        <source>it contains no weights</source>
        <translation>es enthält keine Gewichte</translation>
    </message>
    <message>
        <source>this model does not rank texts</source>
        <translation>dieses Modell bewertet keine Texte</translation>
    </message>
    <message>
        <source>this model has no ranking head</source>
        <translation>dieses Modell hat keine Ausgabeschicht für Bewertungen</translation>
    </message>
    <message>
        <source>there are more than {n}</source>
        <translation>es sind mehr als {n}</translation>
    </message>
    <message>
        <source>the driver did not answer for {seconds} s</source>
        <translation>der Treiber hat {seconds} s lang nicht geantwortet</translation>
    </message>
    <message>
        <source>it cannot be tried ({why})</source>
        <translation>sie kann nicht ausprobiert werden ({why})</translation>
    </message>
    <message>
        <source>the driver ended its process ({code})</source>
        <translation>der Treiber hat seinen Prozess beendet ({code})</translation>
    </message>
    <message>
        <source>the devices could not be read</source>
        <translation>die Geräte konnten nicht gelesen werden</translation>
    </message>
    <message>
        <source>the app ended unexpectedly while it used the graphics card</source>
        <translation>das Programm wurde unerwartet beendet, während es die Grafikkarte benutzte</translation>
    </message>
    <message>
        <source>the build cannot be started ({why})</source>
        <translation>der Bau kann nicht gestartet werden ({why})</translation>
    </message>
    <message>
        <source>the build ended ({code})</source>
        <translation>der Bau ist abgebrochen ({code})</translation>
    </message>
    <message>
        <source>{name} has another vocabulary than the model</source>
        <translation>{name} hat ein anderes Vokabular als das Modell</translation>
    </message>
    <message>
        <source>tokens cannot be removed from the memory of {name}, so it cannot draft</source>
        <translation>aus dem Speicher von {name} lassen sich keine Tokens entfernen, deshalb kann es keine Entwürfe schreiben</translation>
    </message>
    <message>
        <source>this build of llama.cpp lacks the functions for them</source>
        <translation>dieser Fassung von llama.cpp fehlen die Funktionen dafür</translation>
    </message>
    <message>
        <source>the file does not contain their weights</source>
        <translation>die Datei enthält ihre Gewichte nicht</translation>
    </message>
    <message>
        <source>they are not supported for {architecture} models</source>
        <translation>für {architecture}-Modelle werden sie nicht unterstützt</translation>
    </message>
    <message>
        <source>there is not enough memory for them</source>
        <translation>für sie reicht der Speicher nicht</translation>
    </message>
    <message>
        <source>only a single MTP layer of the usual kind is supported</source>
        <translation>nur eine einzelne MTP-Schicht der üblichen Art wird unterstützt</translation>
    </message>
    <message>
        <source>rejected tokens cannot be removed from the memory of this model</source>
        <translation>abgelehnte Token lassen sich nicht aus dem Speicher dieses Modells entfernen</translation>
    </message>
    <message>
        <source>draft tokens are turned off</source>
        <translation>Entwurfstoken sind ausgeschaltet</translation>
    </message>
    <message>
        <source>the draft model is used instead</source>
        <translation>stattdessen wird das Entwurfsmodell benutzt</translation>
    </message>
    <message>
        <source>the outputs of its layers are not inputs of its MTP layers</source>
        <translation>die Ausgaben seiner Schichten passen nicht zu seinen MTP-Schichten</translation>
    </message>
    <message>
        <source>the load trial failed ({why})</source>
        <translation>der Ladeversuch ist fehlgeschlagen ({why})</translation>
    </message>
    <message>
        <source>the model&apos;s attention heads of size {sizes} cannot be stored as {kind}</source>
        <translation>die Attention-Köpfe des Modells (Größe {sizes}) lassen sich nicht als {kind} speichern</translation>
    </message>
    <message>
        <source>the system allows locking {allowed} MB, the model has {size} MB</source>
        <translation>das System erlaubt das Sperren von {allowed} MB, das Modell hat {size} MB</translation>
    </message>
    <message>
        <source>this build of llama.cpp has no GPU support</source>
        <translation>diese llama.cpp-Version unterstützt keine Grafikkarte</translation>
    </message>
    <message>
        <source>an embedding model supports only the default</source>
        <translation>ein Embedding-Modell unterstützt nur den Standardwert</translation>
    </message>
    <message>
        <source>{name} is not a valid name of a model file</source>
        <translation>{name} ist kein gültiger Name einer Modelldatei</translation>
    </message>
    <message>
        <source>embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>reranking</source>
        <translation>das Bewerten von Dokumenten</translation>
    </message>
    <message>
        <source>completions without a chat template</source>
        <translation>Fortsetzungen ohne Chat-Vorlage</translation>
    </message>
    <message>
        <source>prompts as token ids</source>
        <translation>Token-Nummern als Prompt</translation>
    </message>
    <message>
        <source>continuing an answer</source>
        <translation>das Fortsetzen einer begonnenen Antwort</translation>
    </message>
    <message>
        <source>tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>reasoning</source>
        <translation>Schlussfolgern</translation>
    </message>
    <message>
        <source>log probabilities</source>
        <translation>Log-Wahrscheinlichkeiten</translation>
    </message>
    <message>
        <source>log probabilities of the prompt</source>
        <translation>Log-Wahrscheinlichkeiten des Prompts</translation>
    </message>
    <message>
        <source>logit bias</source>
        <translation>Gewichtung einzelner Token</translation>
    </message>
    <message>
        <source>LoRA adapters</source>
        <translation>LoRA-Adapter</translation>
    </message>
    <message>
        <source>answers in JSON</source>
        <translation>Antworten in JSON</translation>
    </message>
    <message>
        <source>JSON schemas</source>
        <translation>JSON-Schemas</translation>
    </message>
    <message>
        <source>regular expressions as constraints</source>
        <translation>reguläre Ausdrücke als Vorgabe</translation>
    </message>
    <message>
        <source>answers from a list</source>
        <translation>Antworten aus einer Liste</translation>
    </message>
    <message>
        <source>grammars</source>
        <translation>Grammatiken</translation>
    </message>
    <message>
        <source>a minimum length of the answer</source>
        <translation>eine Mindestlänge der Antwort</translation>
    </message>
    <message>
        <source>a required tool call</source>
        <translation>ein verlangter Werkzeugaufruf</translation>
    </message>
    <message>
        <source>embeddings of token ids</source>
        <translation>Embeddings von Token-Nummern</translation>
    </message>
    <message>
        <source>fill-in-the-middle prompts</source>
        <translation>Prompts zum Füllen von Lücken</translation>
    </message>
    <message>
        <source>log probabilities together with tools</source>
        <translation>Log-Wahrscheinlichkeiten zusammen mit Werkzeugen</translation>
    </message>
    <message>
        <source>showing the prompt</source>
        <translation>das Anzeigen des Prompts</translation>
    </message>
    <message>
        <source>the texts of tokens</source>
        <translation>die Texte von Token</translation>
    </message>
    <message>
        <source>tokenization</source>
        <translation>Tokenisierung</translation>
    </message>
    <message>
        <source>tools together with a grammar</source>
        <translation>Werkzeuge zusammen mit einer Grammatik</translation>
    </message>
    <message>
        <source>it has no models</source>
        <translation>er hat keine Modelle</translation>
    </message>
    <message>
        <source>a certificate file cannot be used ({why})</source>
        <translation>eine Zertifikatsdatei ist nicht verwendbar ({why})</translation>
    </message>
    <message>
        <source>it aborted the answer</source>
        <translation>er hat die Antwort abgebrochen</translation>
    </message>
    <message>
        <source>it answered {status}</source>
        <translation>er antwortete mit {status}</translation>
    </message>
    <message>
        <source>it answered {status}: {text}</source>
        <translation>er antwortete mit {status}: {text}</translation>
    </message>
    <message>
        <source>it did not accept a connection in time</source>
        <translation>er hat die Verbindung nicht rechtzeitig angenommen</translation>
    </message>
    <message>
        <source>it did not count the tokens</source>
        <translation>er hat die Tokens nicht gezählt</translation>
    </message>
    <message>
        <source>it did not read the request in time</source>
        <translation>er hat die Anfrage nicht rechtzeitig gelesen</translation>
    </message>
    <message>
        <source>it does not have the model {name}</source>
        <translation>er hat das Modell {name} nicht</translation>
    </message>
    <message>
        <source>it ended the answer early</source>
        <translation>er hat die Antwort vorzeitig beendet</translation>
    </message>
    <message>
        <source>it has no list of models</source>
        <translation>er hat keine Liste von Modellen</translation>
    </message>
    <message>
        <source>it redirects to an invalid address</source>
        <translation>er leitet auf eine ungültige Adresse um</translation>
    </message>
    <message>
        <source>it redirects to another address ({host})</source>
        <translation>er leitet auf eine andere Adresse um ({host})</translation>
    </message>
    <message>
        <source>it redirects too often</source>
        <translation>er leitet zu oft um</translation>
    </message>
    <message>
        <source>it reported an error without a description</source>
        <translation>er meldete einen Fehler ohne Beschreibung</translation>
    </message>
    <message>
        <source>it sent a web page instead of an answer</source>
        <translation>er sandte eine Webseite statt einer Antwort</translation>
    </message>
    <message>
        <source>it sent an event that is not JSON</source>
        <translation>er sandte ein Ereignis, das kein JSON ist</translation>
    </message>
    <message>
        <source>it sent an event that is too large</source>
        <translation>er sandte ein zu großes Ereignis</translation>
    </message>
    <message>
        <source>it sent nothing for too long</source>
        <translation>er sandte zu lange nichts</translation>
    </message>
    <message>
        <source>its answer is compressed</source>
        <translation>seine Antwort ist komprimiert</translation>
    </message>
    <message>
        <source>its answer is not JSON</source>
        <translation>seine Antwort ist kein JSON</translation>
    </message>
    <message>
        <source>its answer is too large</source>
        <translation>seine Antwort ist zu groß</translation>
    </message>
    <message>
        <source>its certificate is not trusted ({why})</source>
        <translation>seinem Zertifikat wird nicht vertraut ({why})</translation>
    </message>
    <message>
        <source>its embeddings cannot be read</source>
        <translation>seine Embeddings sind nicht lesbar</translation>
    </message>
    <message>
        <source>its scores cannot be read</source>
        <translation>seine Bewertungen sind nicht lesbar</translation>
    </message>
    <message>
        <source>no connection ({why})</source>
        <translation>keine Verbindung ({why})</translation>
    </message>
    <message>
        <source>no secure connection ({why})</source>
        <translation>keine sichere Verbindung ({why})</translation>
    </message>
    <message>
        <source>the connection was lost</source>
        <translation>die Verbindung ging verloren</translation>
    </message>
    <message>
        <source>the proxy in the system&apos;s settings is not supported</source>
        <translation>der Proxy in den Systemeinstellungen wird nicht unterstützt</translation>
    </message>
    <message>
        <source>the proxy refused the connection</source>
        <translation>der Proxy hat die Verbindung abgelehnt</translation>
    </message>
    <message>
        <source>too many requests are open</source>
        <translation>zu viele Anfragen sind offen</translation>
    </message>
    <message>
        <source>no computer has this name</source>
        <translation>kein Computer hat diesen Namen</translation>
    </message>
    <message>
        <source>the private key is encrypted</source>
        <translation>der private Schlüssel ist verschlüsselt</translation>
    </message>
    <message>
        <source>not a valid PEM file</source>
        <translation>keine gültige PEM-Datei</translation>
    </message>
    <message>
        <source>host or port are invalid</source>
        <translation>Rechnername oder Port sind ungültig</translation>
    </message>
    <message>
        <source>it contains a query</source>
        <translation>sie enthält eine Abfrage</translation>
    </message>
    <message>
        <source>it contains a user name or a password</source>
        <translation>sie enthält einen Benutzernamen oder ein Passwort</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>sie ist leer</translation>
    </message>
    <message>
        <source>it is too long</source>
        <translation>sie ist zu lang</translation>
    </message>
    <message>
        <source>only http and https are supported</source>
        <translation>nur http und https werden unterstützt</translation>
    </message>
    <message>
        <source>the name of the server is invalid</source>
        <translation>der Name des Servers ist ungültig</translation>
    </message>
    <message>
        <source>the path is invalid</source>
        <translation>der Pfad ist ungültig</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Verbindung abgelehnt</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>kein Weg zum Computer</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>das Netzwerk ist nicht erreichbar</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>Verbindung von der Gegenseite beendet</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>Datei oder Ordner nicht gefunden</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>Zugriff verweigert</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>Vorgang nicht erlaubt</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>Ist ein Ordner</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>Ist kein Ordner</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>Auf dem Datenträger ist kein Platz mehr</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Das Kontingent des Datenträgers ist erschöpft</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>Der Datenträger ist schreibgeschützt</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Ein-/Ausgabefehler</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>Der Dateiname ist zu lang</translation>
    </message>
    <message>
        <source>unable to open database file</source>
        <translation>die Datei der Chats lässt sich nicht öffnen</translation>
    </message>
    <message>
        <source>attempt to write a readonly database</source>
        <translation>die Datei der Chats ist schreibgeschützt</translation>
    </message>
    <message>
        <source>database is locked</source>
        <translation>die Datei der Chats ist gesperrt</translation>
    </message>
    <message>
        <source>disk I/O error</source>
        <translation>der Datenträger meldet einen Fehler</translation>
    </message>
    <message>
        <source>There is no library for graphics cards called {kind}: GPU is {kinds} or off.</source>
        <translation>Es gibt keine Bibliothek für Grafikkarten namens {kind}: GPU ist {kinds} oder off.</translation>
    </message>
    <message>
        <source>The library {kind} for graphics cards was not built: the reason is in {log}.</source>
        <translation>Die Bibliothek {kind} für Grafikkarten ist nicht entstanden: Der Grund steht in {log}.</translation>
    </message>
    <message>
        <source>The library {kind} for graphics cards needs {tool}, which is not here: install its toolkit, or start with GPU=vulkan.</source>
        <translation>Die Bibliothek {kind} für Grafikkarten braucht {tool}, das hier fehlt: das Toolkit dazu installieren oder mit GPU=vulkan starten.</translation>
    </message>
    <message>
        <source>The library for graphics cards needs glslc, SPIRV-Headers and the Vulkan headers of version {version} or newer: install the packages that hold them (glslc or shaderc, spirv-headers, libvulkan-dev or vulkan-headers).</source>
        <translation>Die Bibliothek für Grafikkarten braucht glslc, SPIRV-Headers und die Vulkan-Header ab Version {version}: die Pakete dafür installieren (glslc oder shaderc, spirv-headers, libvulkan-dev oder vulkan-headers).</translation>
    </message>
    <message>
        <source>The library for graphics cards needs the Vulkan SDK of version {version} or newer, in the folder that the environment variable VULKAN_SDK names: install it from vulkan.lunarg.com, or set GPU=off.</source>
        <translation>Die Bibliothek für Grafikkarten braucht das Vulkan-SDK ab Version {version} in dem Ordner, den die Umgebungsvariable VULKAN_SDK nennt: von vulkan.lunarg.com installieren oder GPU=off setzen.</translation>
    </message>
    <message>
        <source>The Debian packages in {folder} are incomplete: remove that folder, then start again.</source>
        <translation>Die Debian-Pakete in {folder} sind unvollständig: diesen Ordner löschen und neu starten.</translation>
    </message>
    <message>
        <source>llama.cpp has to be compiled and there is no C++ compiler here: install one ({remedy}), or name a ready-built wheel, as in `make run WHEEL=llama_cpp_python-....whl`.</source>
        <translation>llama.cpp muss kompiliert werden, und hier fehlt ein C++-Compiler: einen installieren ({remedy}) oder ein fertiges Wheel angeben, etwa `make run WHEEL=llama_cpp_python-....whl`.</translation>
    </message>
    <message>
        <source>g++ or clang++</source>
        <translation>g++ oder clang++</translation>
    </message>
    <message>
        <source>Compiling for graphics cards takes {needed} GB of memory and {free} GB are free: close other programs, then start again.</source>
        <translation>Das Kompilieren für Grafikkarten braucht {needed} GB Speicher, {free} GB sind frei: andere Programme schließen und neu starten.</translation>
    </message>
    <message>
        <source>The disk is full: free some space (set-up needs about 2 GB at first), then start again; the log is in {log}.</source>
        <translation>Der Datenträger ist voll: Platz schaffen (die Einrichtung braucht anfangs etwa 2 GB) und neu starten; das Protokoll steht in {log}.</translation>
    </message>
    <message>
        <source>A package that was downloaded is not the one that is locked, so it was not installed: start again, and if it happens again look at {log}.</source>
        <translation>Ein heruntergeladenes Paket ist nicht das festgelegte und wurde deshalb nicht installiert: neu starten; wenn es wieder geschieht, hilft {log}.</translation>
    </message>
    <message>
        <source>Compiling llama.cpp ran out of memory: close other programs and start again, or name a ready-built wheel with WHEEL=; the log is in {log}.</source>
        <translation>Beim Kompilieren von llama.cpp ging der Speicher aus: andere Programme schließen und neu starten oder mit WHEEL= ein fertiges Wheel angeben; das Protokoll steht in {log}.</translation>
    </message>
    <message>
        <source>The packages could not be fetched: check the network connection, then start again; the log is in {log}.</source>
        <translation>Die Pakete ließen sich nicht laden: die Netzverbindung prüfen und neu starten; das Protokoll steht in {log}.</translation>
    </message>
    <message>
        <source>Set-up stopped while {task}: the reason is at the end of {log}.</source>
        <translation>Die Einrichtung ist abgebrochen ({task}): Der Grund steht am Ende von {log}.</translation>
    </message>
    <message>
        <source>compiling llama.cpp&apos;s library for graphics cards</source>
        <translation>Kompilieren der Bibliothek von llama.cpp für Grafikkarten</translation>
    </message>
    <message>
        <source>fetching what llama.cpp is built with</source>
        <translation>Holen der Werkzeuge für llama.cpp</translation>
    </message>
    <message>
        <source>fetching the sources of llama.cpp</source>
        <translation>Holen der Quellen von llama.cpp</translation>
    </message>
    <message>
        <source>fetching the tools that compile for graphics cards</source>
        <translation>Holen der Werkzeuge für Grafikkarten</translation>
    </message>
    <message>
        <source>unpacking the tools that compile for graphics cards</source>
        <translation>Entpacken der Werkzeuge für Grafikkarten</translation>
    </message>
</context>
<context>
    <name>settings</name>
    <message>
        <source>The language changes after a restart.</source>
        <translation>Die Sprache ändert sich nach einem Neustart.</translation>
    </message>
    <message>
        <source>Close now</source>
        <translation>Jetzt schließen</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Schriftgröße</translation>
    </message>
    <message>
        <source>Notify when a long answer is ready while the window is out of sight</source>
        <translation>Benachrichtigen, wenn eine lange Antwort fertig ist, während das Fenster nicht zu sehen ist</translation>
    </message>
    <message>
        <source>Icon in the tray, where the desktop has one</source>
        <translation>Symbol in der Leiste, wo die Oberfläche eine hat</translation>
    </message>
    <message>
        <source>Closing the window leaves Inglenook in the tray</source>
        <translation>Beim Schließen des Fensters bleibt Inglenook in der Leiste</translation>
    </message>
    <message>
        <source>Check for new versions once a week</source>
        <translation>Einmal pro Woche nach neuen Versionen suchen</translation>
    </message>
</context>
<context>
    <name>sidebar</name>
    <message>
        <source>New folder…</source>
        <translation>Neuer Ordner…</translation>
    </message>
    <message>
        <source>Remove from folder</source>
        <translation>Aus dem Ordner entfernen</translation>
    </message>
    <message>
        <source>{words}, in the archive</source>
        <translation>{words}, im Archiv</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Angeheftet</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Heute</translation>
    </message>
    <message>
        <source>This week</source>
        <translation>Diese Woche</translation>
    </message>
    <message>
        <source>This month</source>
        <translation>Diesen Monat</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>Früher</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Archiv</translation>
    </message>
    <message>
        <source>Archive, {n}, folded</source>
        <translation>Archiv, {n}, zugeklappt</translation>
    </message>
    <message>
        <source>Archive, {n}, open</source>
        <translation>Archiv, {n}, offen</translation>
    </message>
    <message>
        <source>Folder {name}, {n}, folded</source>
        <translation>Ordner {name}, {n}, zugeklappt</translation>
    </message>
    <message>
        <source>Folder {name}, {n}, open</source>
        <translation>Ordner {name}, {n}, offen</translation>
    </message>
</context>
<context>
    <name>transcript</name>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>choose</source>
        <translation>wählen</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>Answer of {model}, kept</source>
        <translation>Antwort von {model}, behalten</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>Antwort von {model} behalten</translation>
    </message>
    <message>
        <source>Answer {n}, kept</source>
        <translation>Antwort {n}, behalten</translation>
    </message>
    <message>
        <source>Keep answer {n}</source>
        <translation>Antwort {n} behalten</translation>
    </message>
    <message>
        <source>Stop {model}</source>
        <translation>{model} anhalten</translation>
    </message>
    <message>
        <source>Show the thoughts</source>
        <translation>Gedanken zeigen</translation>
    </message>
    <message>
        <source>Show more of this message</source>
        <translation>Mehr von dieser Nachricht zeigen</translation>
    </message>
    <message>
        <source>Go on with this answer</source>
        <translation>Diese Antwort fortsetzen</translation>
    </message>
    <message>
        <source>Show the pictures</source>
        <translation>Bilder anzeigen</translation>
    </message>
    <message>
        <source>Copy the message</source>
        <translation>Nachricht kopieren</translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation>Antwort kopieren</translation>
    </message>
    <message>
        <source>Answer once more</source>
        <translation>Noch einmal antworten</translation>
    </message>
    <message>
        <source>Several answers side by side</source>
        <translation>Mehrere Antworten nebeneinander</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Delete from here on</source>
        <translation>Ab hier löschen</translation>
    </message>
    <message>
        <source>The version before</source>
        <translation>Vorige Fassung</translation>
    </message>
    <message>
        <source>The version after</source>
        <translation>Nächste Fassung</translation>
    </message>
    <message>
        <source>Hide the thoughts</source>
        <translation>Gedanken verbergen</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Show more</source>
        <translation>Mehr zeigen</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy this code</source>
        <translation>Diesen Code kopieren</translation>
    </message>
    <message>
        <source>Save this code</source>
        <translation>Diesen Code speichern</translation>
    </message>
    <message>
        <source>You: {text}</source>
        <translation>Frage: {text}</translation>
    </message>
    <message>
        <source>Answer: {text}</source>
        <translation>Antwort: {text}</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>This answer was cut off when Inglenook ended.</source>
        <translation>Diese Antwort brach ab, als Inglenook endete.</translation>
    </message>
    <message>
        <source>Stopped before the first word.</source>
        <translation>Vor dem ersten Wort gestoppt.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Denkt nach…</translation>
    </message>
    <message>
        <source>Thought for a moment</source>
        <translation>Kurz nachgedacht</translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation>{seconds} s nachgedacht</translation>
    </message>
    <message>
        <source>{model} on {host}</source>
        <translation>{model} auf {host}</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Gestoppt</translation>
    </message>
    <message>
        <source>{speed} tok/s</source>
        <translation>{speed} Tok/s</translation>
    </message>
    <message>
        <source>{seconds} s to first word</source>
        <translation>{seconds} s bis zum ersten Wort</translation>
    </message>
    <message>
        <source>Waiting for the model · {percent} %</source>
        <translation>Wartet auf das Modell · {percent} %</translation>
    </message>
    <message>
        <source>Waiting for another model…</source>
        <translation>Wartet auf ein anderes Modell…</translation>
    </message>
    <message>
        <source>Preparing the prompt…</source>
        <translation>Die Anfrage wird vorbereitet …</translation>
    </message>
    <message>
        <source>Reading the prompt · {percent} %</source>
        <translation>Prompt wird gelesen · {percent} %</translation>
    </message>
    <message>
        <source>Waiting for the answer in “{title}”…</source>
        <translation>Wartet auf die Antwort in „{title}“ …</translation>
    </message>
    <message>
        <source>Waiting for other requests…</source>
        <translation>Wartet auf andere Anfragen …</translation>
    </message>
    <message>
        <source>place {place} in the queue</source>
        <translation>Platz {place} in der Warteschlange</translation>
    </message>
    <message>
        <source>about {seconds} s left</source>
        <translation>noch etwa {seconds} s</translation>
    </message>
    <message>
        <source>about {minutes} min left</source>
        <translation>noch etwa {minutes} min</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Hält an …</translation>
    </message>
</context>
<context>
    <name>window</name>
    <message>
        <source>Load it again</source>
        <translation>Neu laden</translation>
    </message>
    <message>
        <source>Load on the processor</source>
        <translation>Auf den Prozessor laden</translation>
    </message>
    <message>
        <source>Choose another…</source>
        <translation>Anderes wählen…</translation>
    </message>
    <message>
        <source>Open a model file</source>
        <translation>Modelldatei öffnen</translation>
    </message>
    <message>
        <source>Models (*.gguf)</source>
        <translation>Modelle (*.gguf)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
</context>
</TS>
