<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>A message takes at most %Ln files; the others are left aside.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; your instructions stay.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; all else stays.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The model is summarising the %Ln oldest turns. Your message is sent as soon as it is done.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln requests · {tokens} tokens</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>What is on this computer, and what would run well on it: %Ln cores, {memory} of memory, {free} free.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats came in.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats were here already.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln answers from one reading of the prompt</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>AddressCard</name>
    <message>
        <source>Address</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How to connect…</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>AlertCard</name>
    <message>
        <source>Use another port</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatSettingsSheet</name>
    <message>
        <source>Who it should be and how it should answer. It reads this first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the oldest turns out when a chat is too long</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Forget the summary</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to all defaults</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the settings of this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thinking</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Answers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When the chat is too long</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the oldest turns out without asking</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model’s way</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thinking: {choice}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Summary of the oldest turns: {summary}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ChatsView</name>
    <message>
        <source>Chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Chip</name>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, being read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name}, tokens not counted yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>{name}, %Ln tokens</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Message Inglenook</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Enter sends, Shift Enter begins a new line</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings of this chat (Ctrl ,)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everyday</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{preset}, changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preset: {preset}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a preset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop (Esc)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>DiskSection</name>
    <message>
        <source>On this computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing here has “{text}” in its name.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking into your folders…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no model yet. Add a folder that holds some, or download one of those below.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>DownloadCard</name>
    <message>
        <source>Pause</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Download of {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on with {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pause {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel the download of {name}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>DropZone</name>
    <message>
        <source>Drop files here to attach them</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>EndpointHead</name>
    <message>
        <source>Endpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other tools on this computer share your model. You always come first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Off</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message>
        <source>Find in this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The one before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The next one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{place} of {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nothing</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FolderChip</name>
    <message>
        <source>{folder}: cannot be read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look no more into {folder}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FoundView</name>
    <message>
        <source>Found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>d MMM yyyy</source>
        <extracomment>How a day is written; see QDate.toString.</extracomment>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Gauge</name>
    <message>
        <source>{used} of {all}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tokens of this chat and of what is being written, of those the model reads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Oldest turns left out: {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is more than the model reads</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Greeting</name>
    <message>
        <source>Choose a model file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A model is loaded on this computer. Ask it anything; nothing leaves the room.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model is being loaded. You can write already; it answers as soon as it is there.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no model yet. Choose a GGUF file on this computer; it is used where it lies.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Good morning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Good afternoon</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Good evening</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draft a kind but firm reply</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Draft a kind but firm reply to this message:

</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Explain a piece of code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Explain what this code does, step by step:

</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turn notes into a plan</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turn these notes into a plan with steps:

</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Translate and explain</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Translate this and explain the hard words:

</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Show what tools are asking</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%Ln tools</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pin</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Markdown…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Web page…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PDF…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everything, as JSON…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a model file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{model} · {speed} tok/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model: {state}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chat: {title}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the chats</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>HubSection</name>
    <message>
        <source>On Hugging Face</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Asking Hugging Face for “{text}”…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hugging Face has no GGUF model named “{text}”.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search Hugging Face for “{text}”</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>KeyRow</name>
    <message>
        <source>The endpoint&apos;s own key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the key of “{name}”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Revoke the key of “{name}”</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>KeysCard</name>
    <message>
        <source>New key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Revoke the key of “{name}”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keyboard</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Click a key and press another one. Backspace takes it away.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All keys as they were</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>That key is taken: {action}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Key for: {action}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LanguageCard</name>
    <message>
        <source>Language</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another language is spoken from the next start on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the system</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MadeKey</name>
    <message>
        <source>New key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the new key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The key of “{name}”. It is shown this once: copy it now.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Runs on this computer. Nothing leaves it.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MemoryBar</name>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tools</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Room for both</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>App</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MemoryCard</name>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{used} taken · {left} free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Kept on disk for the next time: {size}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MessageEditor</name>
    <message>
        <source>Edit the message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Send</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new version; the old one stays.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A new version; the old one stays. Ctrl Enter saves.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MessageWiring</name>
    <message numerus="yes">
        <source>%Ln messages are deleted.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelSearch</name>
    <message>
        <source>Search here and on Hugging Face</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models here are found as you type. Enter asks Hugging Face.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the search</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelSheet</name>
    <message>
        <source>Tokens of context</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layers on the graphics card</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unload</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show in its folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the settings of this model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{least} to {most}. Empty: as many as are good here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Empty: all of them, where there is a card.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load again with these</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Context</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How exactly it remembers what it read. Less takes less memory, and costs a little quality.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory of a chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Graphics card</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>automatic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory of a chat: {choice}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelsHead</name>
    <message>
        <source>Add a folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Worth a try</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelsView</name>
    <message>
        <source>Settings of this model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unload</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Download</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ModelsWiring</name>
    <message>
        <source>Add a folder with models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load it</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Dismiss</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>NumberRow</name>
    <message>
        <source>Default: {value}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the default: {name}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back to the default</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>OverflowCard</name>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close (Esc); your text stays</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Turns that would be left out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How far the summary is</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave them out</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Summarise them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start afresh</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide them</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Palette</name>
    <message>
        <source>Do something, or find a chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What to do</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What there is to do</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>Save as…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{preset}, changed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preset: {preset}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RequestsCard</name>
    <message>
        <source>Stop all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No tool has asked yet. What they ask stands here, live.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep what tools ask</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep what tools ask, so that it can be opened as a chat. Forgotten when Inglenook closes.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RequestsView</name>
    <message>
        <source>Requests of tools</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not kept: it cannot be opened as a chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open as a chat</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SearchField</name>
    <message>
        <source>Search</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ctrl Shift F</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the search</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Leave the search (Esc)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SearchWiring</name>
    <message>
        <source>Nothing holds “{words}”.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>As the system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From a file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From a folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save all chats…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Back up everything…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring a backup back…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring in what you wrote elsewhere: exports of ChatGPT, Open WebUI, LM Studio, Jan, llama-server and of Inglenook itself. What is here already stays as it is.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>When something does not work, this helps to find out why. It names the machine, the versions and the model, and holds nothing of your chats.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>About this Inglenook</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SettingsWiring</name>
    <message>
        <source>The language is another one from the next start on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring chats in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Exports (*.json *.zip)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading {name}…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring a backup back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Backups (*.zip)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The backup of {day} comes back when Inglenook starts next. What is here now is kept aside.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save as</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats so far…</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Endpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Endpoint, on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Endpoint, off</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ctrl N</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>SnippetsCard</name>
    <message>
        <source>Tools</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What to paste</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the snippet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Good evening</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TranscriptPage</name>
    <message>
        <source>Conversation</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TranscriptView</name>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other words here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the end</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>WordChoices</name>
    <message>
        <source>Instead of “{word}”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking for other words…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose one to go on from there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing else was likely here</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>WordRow</name>
    <message>
        <source>{word}, {percent}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>_Heads</name>
    <message>
        <source>Request</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Speed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Age</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>_NameLine</name>
    <message>
        <source>Name of the tool, then Enter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name of the new key</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>actions</name>
    <message>
        <source>Do something, or find a chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>New chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Search all chats</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the endpoint</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this chat as Markdown</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this chat as a web page</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this chat as PDF</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save this chat with all its branches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Find in this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings of this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pin or unpin this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete this chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a model file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Light looks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dark looks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looks as the system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring chats in from a file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring chats in from a folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save all chats…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy diagnostics</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>composer</name>
    <message>
        <source>{name} is no text, PDF or Word document, so the model cannot read it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} asks for a password. Save it without one, then attach it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is damaged and cannot be read.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} holds no text. A scan must be turned into text first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} took too long to read.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} has more than {most} pages. Attach a part of it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} has more than {most} characters of text. Attach a part of it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} has more than {most} MB. Attach a part of it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} cannot be read.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pictures cannot be attached: the model reads text.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A file is still being read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Looking whether it fits…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model wrote no summary. Nothing was sent; try again, or leave the turns out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This message is too long for the model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your next message does not fit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It takes {n_prompt} tokens, the model reads {n_ctx}. Shorten it, or attach less.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Everyday</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Precise</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Creative</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Own settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A preset needs a name.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A name has at most {n} characters.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is a preset of that name already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Top P</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Top K</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Min P</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Repeat penalty</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Most tokens of an answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Low is steady, high is daring</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only the likeliest words that make up this share</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only so many of the likeliest words; 0 for all</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only words at least so likely, beside the likeliest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Above 1 avoids what was just said</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where an answer ends at the latest</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The same number gives the same answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>by chance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A whole number from {lowest} to {highest}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A number from {lowest} to {highest}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings of this chat…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The preset “{name}” is deleted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>endpoint</name>
    <message>
        <source>chat</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>completions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>messages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>responses</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>embeddings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>waiting · place {place}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reading · {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>getting ready</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>answering · {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>embedding</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>done · {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{cached} / {all} kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{speed} tok/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>prompt {prompt}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>From {client}, with the key “{key}”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{prompt} tokens asked, {cached} of them kept from before, {output} answered</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not used yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What this tool asked was not kept. Switch on “Keep what tools ask”, then let it ask again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This request cannot be opened as a chat: it holds no conversation, or it is too long to be kept.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is a key named “{name}” already.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A key needs a name of at most 64 letters.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>launch</name>
    <message>
        <source>Inglenook is already open.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its window may be minimised, or on another desktop.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>models</name>
    <message>
        <source>{size}&#xa0;GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size}&#xa0;MB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} B parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} M parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What is on this computer, and what would run well on it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} GB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unusable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tight</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Too big</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs {size}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>≈ {speed} tok/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>comes with Inglenook</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} downloads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>quick answers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>everyday questions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>many languages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>thinks before it answers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>code</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading · {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Download</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Terms first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It cannot be used: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Needs about {needed} of memory, {free} are free.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It reads {n} tokens.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It reads {n} tokens; up to {best} would fit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only {n} tokens of context fit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Little is left for other programs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The context is too long: {best} tokens would fit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A smaller quantisation may fit.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Full</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Half</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quarter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{done} of {all}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Asking Hugging Face what there is…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waits for the download before it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size}/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Checking what came…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Paused · {done}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} min left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} h left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hugging Face cannot be reached now. What is on this computer works as always.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Its makers ask you to accept their terms on huggingface.co first. Then open the file here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hugging Face does not have it any more.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hugging Face does not hand it out ({status}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no file in it that could be checked after the download.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk is too full: {needed} are needed, {free} are free.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What came is not what Hugging Face says it is. It was deleted; try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It cannot be written to the disk: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Something went wrong: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Unload</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weights {weights}, chats {chats}, while it computes {other}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>numbers</name>
    <message>
        <source>{n} M</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} k</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>reasons</name>
    <message>
        <source>there is no such file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>this is a folder, not a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file cannot be read ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file is no GGUF model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its GGUF version {version} is not one we know</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its header is damaged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the file is cut short; download it again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{n} of its {all} parts are missing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is an adapter for another model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is the eye of another model, not a model by itself</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it holds no weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>this model ranks texts, it does not embed them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>llama.cpp cannot load it ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its vocabulary is damaged ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>llama.cpp cannot compute with it ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its chat template takes too much memory or time ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it cannot be tried ({why})</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the trial took too long</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the trial took too much memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the trial ended with {code}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>llama.cpp cannot make a context for it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>llama.cpp cannot compute with it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>llama.cpp cannot load this file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is not enough memory for its context</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is not enough memory for its embeddings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{kind} needs flash attention</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the model&apos;s heads of {sizes} numbers cannot be packed as {kind}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{value} is not between 0 and {largest}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the system lets us lock {allowed} MB, the model has {size} MB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>this build of llama.cpp computes on the processor alone</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>an embedding model&apos;s context has only the usual one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} is no name for a model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it is too large</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it was written by a newer Inglenook</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its chats are damaged</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it holds no chats that this Inglenook knows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the reader ended with {code}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>unable to open database file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>attempt to write a readonly database</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>database is locked</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>disk I/O error</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>sentences</name>
    <message>
        <source>This chat has {n_prompt} tokens, the model reads {n_ctx}. Start a new chat to go on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model&apos;s template refuses these messages: {reason}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} cannot be opened: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model needs {needed} MB of memory, {available} MB are free. Close something first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model cannot be loaded so: {field}: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No model is loaded. Choose a model file, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model stopped working. Load it again to go on; nothing that was written is lost.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading the model was cancelled.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inglenook is closing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk is full: new messages are not kept. They stay here until Inglenook closes.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file of your chats is damaged. Start Inglenook again to begin a new one.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Your chats were written by a newer Inglenook. This version leaves them alone and keeps none.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} holds no chats that Inglenook can read.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{name} could not be read or written to its end: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Port {port} is used by another program.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Chats are not kept: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Something went wrong: {error}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file of your chats was damaged. It is kept as {name}; a new one was begun.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Inglenook</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The answer ends here because the model can read no further.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This answer was cut off when Inglenook ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped before the first word.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thought for a moment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{speed} tok/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{seconds} s to first word</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Today</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This week</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This month</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Loading · {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model stopped</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waiting for the model · {percent} %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{size} MB on disk</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reads {n_ctx} tokens</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>transcript</name>
    <message>
        <source>kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>choose</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Answer {n}, kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep answer {n}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the thoughts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on with this answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the answer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Answer once more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Several answers side by side</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Delete from here on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The version before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The version after</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hide the thoughts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy this code</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>window</name>
    <message>
        <source>“{title}” is deleted.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Load it again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose another…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a model file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models (*.gguf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
